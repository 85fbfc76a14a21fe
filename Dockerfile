# Airflow's official image without providers, and this package in it, with the versions that the tests ran with:
# requirements.lock, hashes checked. Nothing is compiled, so nothing has to be cleaned up.

# With --build-arg AIRFLOW_IMAGE=apache/airflow@sha256:... it is the image of that digest: docs/deploy.md.
ARG AIRFLOW_IMAGE=apache/airflow:slim-3.3.2-python3.12

FROM ${AIRFLOW_IMAGE} AS wheel
COPY --chown=airflow:0 pyproject.toml hatch_build.py requirements.lock README.md LICENSE /tmp/source/
COPY --chown=airflow:0 plugins/airflow_provider_canvas_exports /tmp/source/plugins/airflow_provider_canvas_exports
COPY --chown=airflow:0 plugins/canvas_exports /tmp/source/plugins/canvas_exports
RUN uv build --no-cache --wheel --build-constraint /tmp/source/requirements.lock --out-dir /tmp/wheels /tmp/source

FROM ${AIRFLOW_IMAGE}
# Further packages, such as an auth manager for production: docs/deploy.md.
ARG EXTRA_PACKAGES=""
RUN --mount=type=bind,from=wheel,source=/tmp,target=/tmp/build \
    uv pip install --no-cache --compile-bytecode --constraint /tmp/build/source/requirements.lock \
        "$(ls /tmp/build/wheels/*.whl)[s3,celery,postgres,metrics]" ${EXTRA_PACKAGES} \
    # The password file of the API server lives here, on a volume.
    && mkdir --parents /opt/airflow/auth
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 include/backups /opt/airflow/include/backups
COPY --chown=airflow:0 include/courses /opt/airflow/include/courses
COPY --chown=airflow:0 include/pools.json /opt/airflow/include/pools.json
USER airflow
