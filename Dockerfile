# Serves the best model. Build the context first: `make dist` puts the release binary and libtorch's libraries into dist/.
#   docker build -t edge .  &&  docker compose up
FROM docker.io/library/debian:bookworm-slim
COPY dist/ /opt/edge/
RUN useradd --system --home-dir /var/lib/edge --create-home edge
ENV PATH=/opt/edge/bin:$PATH LD_LIBRARY_PATH=/opt/edge/lib EDGE_STORE=/var/lib/edge/store
USER edge
WORKDIR /var/lib/edge
EXPOSE 8000
# Outside of loopback a token is required: EDGE_SERVE_TOKEN.
CMD ["edge", "serve", "--listen", "0.0.0.0:8000"]
