#!/bin/sh
# Build the image without Docker and see that it serves as an unprivileged user on a read-only root: buildah with chroot
# isolation over a base that debootstrap makes. Skipped, with a word, where these are missing. Needs root.
set -eu
cd "$(dirname "$0")/.."

for tool in buildah debootstrap npm; do
    command -v "$tool" >/dev/null || { echo "image: skipped, $tool is missing"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "image: skipped, needs root"; exit 0; }

work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
export CONTAINERS_STORAGE_CONF="$work/storage.conf"
printf '[storage]\ndriver = "vfs"\nrunroot = "%s/run"\ngraphroot = "%s/graph"\n' "$work" "$work" >"$CONTAINERS_STORAGE_CONF"
printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$work/policy.json"
server=
mounted=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$mounted" ] || { umount -R "$mounted/tmp" 2>/dev/null || true; }
    buildah rm --all >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT INT TERM

echo "image: making a base (debootstrap)"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$work/base" "$mirror" >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log"; exit 1; }
container=$(buildah from scratch)
buildah copy -q "$container" "$work/base" / >/dev/null
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit -q "$container" localhost/linewatch-python:base >/dev/null
npm_home=$(cd "$(npm root -g)/npm" && pwd -P)
buildah copy -q "$container" "$(command -v node)" /usr/local/bin/node >/dev/null
buildah copy -q "$container" "$npm_home" /usr/local/lib/node_modules/npm >/dev/null
buildah run "$container" -- ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
buildah commit -q "$container" localhost/linewatch-node:base >/dev/null
rm -rf "$work/base"

echo "image: building"
secrets="--secret id=ca,src=/etc/ssl/certs/ca-certificates.crt"
for conf in "${PIP_CONFIG_FILE:-}" "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf" /etc/pip.conf; do
    if [ -f "$conf" ]; then
        secrets="$secrets --secret id=pip,src=$conf"
        break
    fi
done
[ ! -f "$HOME/.npmrc" ] || secrets="$secrets --secret id=npmrc,src=$HOME/.npmrc"
# shellcheck disable=SC2086 # the secrets are several words
buildah bud -q --pull=never --format docker --signature-policy "$work/policy.json" $secrets \
    --build-arg PYTHON_IMAGE=localhost/linewatch-python:base --build-arg NODE_IMAGE=localhost/linewatch-node:base \
    -t localhost/linewatch:test . >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }

echo "image: starting it"
running=$(buildah from --pull=never localhost/linewatch:test)
user=$(buildah inspect --format '{{.OCIv1.Config.User}}' "$running")
[ "$user" = 10001:10001 ] || { echo "image: runs as '$user'"; exit 1; }
mounted=$(buildah mount "$running")
port=$(.venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/config.yaml" <<YAML
server: {port: $port}
devices:
  - {name: nobody, address: 127.0.0.1, port: 9, snmp: {version: "2c", community: public}}
YAML
chmod 644 "$work/config.yaml"
cp "$work/config.yaml" "$mounted/etc/linewatch.yaml"
# The root file system read-only, as --read-only makes it; nothing but what is in the image.
unshare --mount sh -c "
    mount --bind '$mounted' '$mounted' && mount -o remount,ro,bind '$mounted' &&
    exec chroot --userspec=10001:10001 '$mounted' /usr/bin/env -i PATH=/opt/linewatch/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 \
        sh -c 'cd /etc && echo \$(id -u) >&2 && if touch /opt/x 2>/dev/null; then echo writable >&2; exit 1; fi; exec python -m server --config /etc/linewatch.yaml'
" 2>"$work/server.log" &
server=$!
.venv/bin/python - "$port" "$server" <<'PY' || { cat "$work/server.log"; exit 1; }
import json, pathlib, sys, time, urllib.request
address = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(150):
    try:
        page = urllib.request.urlopen(f"{address}/", timeout=5).read().decode()
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit("the image's server did not come up")
assert "Linewatch" in page
assert json.load(urllib.request.urlopen(f"{address}/api/v1/devices", timeout=5))["devices"][0]["name"] == "nobody"
uid = [line for line in pathlib.Path(f"/proc/{sys.argv[2]}/status").read_text().splitlines() if line.startswith("Uid:")]
assert uid == ["Uid:\t10001\t10001\t10001\t10001"], uid
PY
echo "image: built, and serving as uid 10001 on a read-only root"
