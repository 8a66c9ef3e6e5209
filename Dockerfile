# syntax=docker/dockerfile:1
# elkwatch as an image: built in one stage, run as an ordinary user in the next.
#
#   docker build -t elkwatch .                                    with CUDA (torch of PyPI)
#   docker build -t elkwatch:cpu --build-arg VARIANT=cpu .        wheels/torch-*+cpu-*.whl
#
# PyPI's torch for x86-64 carries CUDA (about 3 GB). The cpu variant takes a CPU-only
# wheel of torch that you put into wheels/; PyTorch publishes them.
ARG PYTHON_VERSION=3.11
ARG VARIANT=cuda

FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/elkwatch
ENV PATH=/opt/elkwatch/bin:$PATH
WORKDIR /src

FROM build AS torch-cuda
RUN --mount=type=bind,target=/src \
    pip install --no-cache-dir -c constraints.txt torch

FROM build AS torch-cpu
# The wheel itself comes from wheels/; what it needs comes from the index.
RUN --mount=type=bind,target=/src \
    pip install --no-cache-dir wheels/torch-*.whl

# hadolint ignore=DL3006
FROM torch-${VARIANT} AS install
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY connector connector
COPY model model
COPY alerting alerting
COPY kibana kibana
COPY elkwatch elkwatch
# torch is there already, in the variant asked for, so its pin is left out here.
RUN grep -v '^torch==' constraints.txt > /tmp/constraints.txt && \
    pip install --no-cache-dir -c /tmp/constraints.txt '.[preview]'

FROM python:${PYTHON_VERSION}-slim AS run
LABEL org.opencontainers.image.title="elkwatch" \
      org.opencontainers.image.description="Tells an ELK stack what kind of trouble its logs show" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 1000 elkwatch && \
    useradd --uid 1000 --gid 1000 --home-dir /var/lib/elkwatch --create-home elkwatch
COPY --from=install /opt/elkwatch /opt/elkwatch
# The NVIDIA container runtime reads these two; without it they mean nothing.
ENV PATH=/opt/elkwatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ELKWATCH_CONFIG=/etc/elkwatch/elkwatch.yml \
    ELKWATCH_LOG_FORMAT=json \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000:1000
WORKDIR /var/lib/elkwatch
VOLUME /var/lib/elkwatch
EXPOSE 9469
# Asks /healthz at `monitoring.listen` of the configuration.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["elkwatch", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["elkwatch"]
CMD ["run"]
