# The engine on the simulated market, as an unprivileged user, with everything it keeps in /data.
# `docker-compose up --build` is the usual way to it; the settings are in docker-compose.yml.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/pointsman
ENV PATH=/opt/pointsman/bin:$PATH
COPY requirements-run.txt /build/
RUN pip install --requirement /build/requirements-run.txt
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
RUN pip install --no-deps /build && pip uninstall --yes pip

# Debian's slim image has bash in it, for `docker-compose exec trading-engine bash`.
FROM python:3.11-slim
# The numbers stand in docker-compose.yml too; a new volume takes over the owner of /data.
RUN groupadd --gid 10001 pointsman \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data pointsman \
    && install --directory --owner=pointsman --group=pointsman --mode=0700 /data
COPY --from=build /opt/pointsman /opt/pointsman
ENV PATH=/opt/pointsman/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_PATH=/data/trading.db \
    HTTP_HOST=0.0.0.0
USER pointsman
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import json, subprocess, sys; sys.exit(not json.loads(subprocess.run(['pointsman', 'status', '--json'], capture_output=True, check=True).stdout)['engine']['running'])"]
CMD ["pointsman", "run", "--headless"]
