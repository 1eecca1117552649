# Two images out of what `make dist` puts into dist/:
#   make dist && docker build -t edge . && docker compose up                      serves the best model, on CPUs
#   EDGE_TORCH=cuda make dist && docker build --target cuda -t edge-worker .      runs trials, with or without a GPU

# A worker: whatever starts it (Ray, SkyPilot, a shell) brings the command. About 5 GB, nearly all of it torch's CUDA libraries.
FROM docker.io/library/debian:bookworm-slim AS cuda
ARG TORCH=2.11.0
# Ray's launcher and SkyPilot copy files and start shells from and to this container, as root.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates openssh-client procps python3-venv rsync \
    && rm -rf /var/lib/apt/lists/*
COPY cluster/requirements-ray.txt /opt/python/
RUN python3 -m venv /opt/python \
    && /opt/python/bin/pip install --no-cache-dir --disable-pip-version-check "torch==$TORCH" -r /opt/python/requirements-ray.txt
COPY dist/bin/ /opt/edge/bin/
# Shells by ssh and login shells forget what is set here, so programs and libraries are where everybody looks.
RUN ln -s /opt/python/bin/ray /opt/edge/bin/edge /usr/local/bin/ \
    && ls -d /opt/python/lib/python3*/site-packages/torch/lib >/etc/ld.so.conf.d/torch.conf \
    && ldconfig
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# It starts, and it was linked with CUDA: the other image's binary would train on CPUs and not say a word.
RUN edge --version && ldd /opt/edge/bin/edge | grep libtorch_cuda

# Stays last: it is what `docker build .` makes.
FROM docker.io/library/debian:bookworm-slim AS serve
COPY dist/ /opt/edge/
# A number, for orchestrators that must see that it is not root; what is mounted must be readable by it.
RUN useradd --uid 10001 --home-dir /var/lib/edge --create-home edge
# Whom TLS trusts is built in; SSL_CERT_FILE names certificates of your own beside.
# Two arenas: memory that a reload frees is used again instead of staying with its thread.
ENV PATH=/opt/edge/bin:$PATH LD_LIBRARY_PATH=/opt/edge/lib EDGE_STORE=/var/lib/edge/store MALLOC_ARENA_MAX=2
USER 10001
WORKDIR /var/lib/edge
RUN edge --version
EXPOSE 8000
# Outside of loopback a token is required: EDGE_SERVE_TOKEN.
CMD ["edge", "serve", "--listen", "0.0.0.0:8000"]
