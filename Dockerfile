FROM python:3.12-slim
WORKDIR /afterglow
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY bot bot
COPY storage storage
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --system --create-home --home-dir /data afterglow \
    && install --directory --owner afterglow --mode 700 /backups /backup-keys
USER afterglow
ENV DATA_DIR=/data HOST=0.0.0.0 \
    BACKUP_DIR=/backups/nightly BACKUP_STREAM_DIR=/backups/stream BACKUP_KEYS_DIR=/backup-keys
VOLUME ["/data", "/backups", "/backup-keys"]
# Touched every minute while all promises hold (docs/alerting.md).
HEALTHCHECK --interval=1m --timeout=5s --start-period=1m CMD find "$DATA_DIR/health" -mmin -3 | grep -q .
ENTRYPOINT ["afterglow"]
CMD ["run"]
