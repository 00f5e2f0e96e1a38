# The engine on the simulated market, as an unprivileged user, with everything it keeps in /data.
# `docker-compose up --build` is the usual way to it; the settings are in docker-compose.yml. With no
# token set, the engine makes one per scope at its first start, in /data/tokens, and logs the path.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
RUN python -m venv /opt/pointsman
ENV PATH=/opt/pointsman/bin:$PATH
COPY requirements-run.txt requirements-calendar.txt requirements-cluster.txt /build/
RUN pip install --requirement /build/requirements-run.txt
# TRADING_CALENDAR needs pandas and numpy, more than all the rest together:
# docker-compose build --build-arg CALENDAR=yes
ARG CALENDAR=
RUN test -z "$CALENDAR" || pip install --requirement /build/requirements-calendar.txt
# REPLICATE_TO needs a small one: docker-compose build --build-arg CLUSTER=yes
ARG CLUSTER=
RUN test -z "$CLUSTER" || pip install --requirement /build/requirements-cluster.txt
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
# Nothing that runs needs the packages' tests, translations, lists of parts or symbols for debuggers,
# nor lexers of languages and senders of notifications compiled before one of them is used.
RUN pip install --no-deps /build && pip uninstall --yes setuptools pip \
    && find /opt/pointsman -type d \
        \( -name tests -o -name i18n -o -name sboms -o -path '*/lexers/__pycache__' \
        -o -path '*/apprise/plugins*/__pycache__' \) -prune -exec rm -r {} + \
    && find /opt/pointsman -name '*.so' -exec strip --strip-unneeded {} +

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
    TOKENS_PATH=/data/tokens \
    HTTP_HOST=0.0.0.0
USER pointsman
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, sys; from http.client import HTTPConnection as C; c = C('127.0.0.1', int(os.environ.get('HTTP_PORT', '8080')), timeout=4); c.request('GET', '/health/live'); sys.exit(c.getresponse().status != 200)"]
CMD ["pointsman", "run", "--headless"]
