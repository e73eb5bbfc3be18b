# One image for every process of the shop; ops/entrypoint.sh names them.

# The browser files, exactly as package-lock.json pins them.
FROM node:24.11.0-bookworm-slim AS assets
WORKDIR /assets
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund

# The Python environment and the shop in it.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
WORKDIR /build
RUN python -m venv /opt/coursehub
ENV PATH=/opt/coursehub/bin:$PATH VIRTUAL_ENV=/opt/coursehub
COPY requirements/tools.txt requirements/base.txt requirements/
RUN pip install --require-hashes -r requirements/tools.txt \
    && uv pip install --require-hashes --compile-bytecode -r requirements/base.txt
COPY pyproject.toml setup.cfg package-lock.json wsgi.py ./
COPY requirements/base.in requirements/
COPY ops/bin/assets ops/bin/
COPY ops/icons.txt ops/
COPY coursehub coursehub
COPY tasks tasks
COPY migrations migrations
COPY templates templates
COPY static static
COPY --from=assets /assets/node_modules node_modules
RUN python ops/bin/assets --copy-only \
    && uv pip install --no-deps --compile-bytecode . \
    && uv pip uninstall uv

FROM python:3.11.14-slim-bookworm
# The libraries that WeasyPrint opens when it makes a PDF.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libfontconfig1 libglib2.0-0 libharfbuzz-subset0 libharfbuzz0b libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/coursehub --create-home --shell /usr/sbin/nologin coursehub
COPY --from=build /opt/coursehub /opt/coursehub
COPY ops/entrypoint.sh /usr/local/bin/coursehub
ENV PATH=/opt/coursehub/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 COURSEHUB_DATA=/var/lib/coursehub
USER coursehub
WORKDIR /var/lib/coursehub
EXPOSE 8000
ENTRYPOINT ["coursehub"]
CMD ["web"]
