#!/bin/sh
# Build the wheel, install it into an environment of its own, and start it from an empty folder.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
python=.venv/bin/python
work=$(mktemp -d)
server=
cleanup() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT INT TERM

"$python" -m build --wheel --no-isolation --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
wheel=$(ls "$work"/dist/linewatch-*.whl)
"$python" tests/wheel_files.py "$wheel"

"$python" -m venv "$work/env"
"$work/env/bin/python" -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/runtime.txt
"$work/env/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps "$wheel"

mkdir "$work/empty"
cd "$work/empty"
port=$("$work/env/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >config.yaml <<YAML
server: {port: $port}
devices:
  - {name: nobody, address: 127.0.0.1, port: 9, snmp: {version: "2c", community: public}}
YAML
"$work/env/bin/linewatch" --check-config
"$work/env/bin/linewatch" 2>"$work/server.log" &
server=$!
"$work/env/bin/python" - "$port" <<'PY' || { cat "$work/server.log"; exit 1; }
import json, sys, time, urllib.request
address = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(100):
    try:
        page = urllib.request.urlopen(f"{address}/", timeout=5).read().decode()
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit("the wheel's server did not come up")
assert "Linewatch" in page, page[:500]
devices = json.load(urllib.request.urlopen(f"{address}/api/v1/devices", timeout=5))["devices"]
assert [device["name"] for device in devices] == ["nobody"], devices
script = page.split('/static/js/main.js?v=')[1].split('"')[0]
assert urllib.request.urlopen(f"{address}/static/js/main.js?v={script}", timeout=5).status == 200
PY
cd "$top"
echo "wheel: built, installed, and serving from an empty folder"
