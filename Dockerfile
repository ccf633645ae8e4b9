# Linewatch: one image, three stages. No credential or client setting reaches a layer: mount what pip or npm need
# behind a proxy as build secrets (docs/operations.md).
ARG PYTHON_IMAGE=python:3.13-slim
ARG NODE_IMAGE=node:22-slim

# 1. The front-end parts that are installed, never committed.
FROM ${NODE_IMAGE} AS front
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc,required=false \
    --mount=type=secret,id=ca,target=/run/secrets/ca.pem,required=false \
    if [ -s /run/secrets/ca.pem ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca.pem; fi; \
    npm ci --omit=dev --ignore-scripts --loglevel=error

# 2. The program in an environment of its own.
FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements/demo.txt requirements/demo.txt
RUN --mount=type=secret,id=pip,target=/etc/pip.conf,required=false \
    --mount=type=secret,id=ca,target=/run/secrets/ca.pem,required=false \
    if [ -s /run/secrets/ca.pem ]; then export PIP_CERT=/run/secrets/ca.pem; fi; \
    python3 -m venv /opt/linewatch && \
    /opt/linewatch/bin/python -m pip install --disable-pip-version-check --no-cache-dir --require-hashes -r requirements/demo.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md config.yaml ./
COPY server server
COPY templates templates
COPY static static
COPY --from=front /build/node_modules/uplot/dist/uPlot.esm.js /build/node_modules/uplot/dist/uPlot.min.css \
    /build/node_modules/uplot/LICENSE static/vendor/uplot/
RUN site=$(/opt/linewatch/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
    cp -r server "$site/server" && mkdir -p "$site/server/data" && \
    cp -r static templates config.yaml "$site/server/data/" && \
    /opt/linewatch/bin/python -m compileall -q "$site/server"

# 3. What runs.
FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 linewatch && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin linewatch
COPY --from=build /opt/linewatch /opt/linewatch
ENV PATH=/opt/linewatch/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /etc/linewatch
EXPOSE 8888
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8888/healthz', timeout=2)"]
ENTRYPOINT ["python", "-m", "server"]
