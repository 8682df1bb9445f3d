# The image of web, worker and beat; docker-compose.yml says which of them a container is.
FROM python:3.11-slim-bookworm AS base

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Pango draws the PDFs; the subsetter makes that five times faster.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*

FROM base AS build
RUN pip install --no-cache-dir uv
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
# Before the code, so that a change of code leaves this layer as it is.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups
COPY . .
# Collecting needs settings, not servers; no value given here is kept in the image.
RUN SECRET_KEY=build DATABASE_URL=postgresql://build/build REDIS_URL=redis://build/0 STATIC_ROOT=/app/staticfiles \
    .venv/bin/python -m django collectstatic --noinput --verbosity=0 --settings=opscom.settings

FROM base
RUN useradd --system --uid 10001 --home-dir /app opscom && mkdir -p /data/media && chown -R opscom /data
WORKDIR /app
COPY --from=build /app /app
ENV PATH="/app/.venv/bin:$PATH" DJANGO_SETTINGS_MODULE=opscom.settings \
    STATIC_ROOT=/app/staticfiles MEDIA_ROOT=/data/media DATABASE_POOL=8
USER opscom
EXPOSE 8000
VOLUME /data
CMD ["gunicorn", "opscom.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "4", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", \
     "--access-logfile", "-", "--logger-class", "opscom.access_log.AccessLogger"]
