# docker build -t moduletree .
# docker run -p 8000:8000 -v moduletree:/data moduletree     prints a URL with its token
#
# TORCH and TORCH_INDEX are the Makefile's: another release of torch, one more index to find it on.
# --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu makes an image without gigabytes of CUDA.

FROM python:3.11-slim-bookworm AS build
ARG TORCH=
ARG TORCH_INDEX=
WORKDIR /src
RUN python -m venv /opt/moduletree
COPY constraints.txt ./
RUN if [ -n "$TORCH" ]; then sed -i "s/^torch==.*/torch==$TORCH/" constraints.txt; fi
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_BUILD_CONSTRAINT=/src/constraints.txt PIP_NO_CACHE_DIR=1
# torch first, in a layer of its own: it is by far the largest and changes least.
RUN /opt/moduletree/bin/pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch numpy
COPY pyproject.toml hatch_build.py package.json package-lock.json .npmrc README.md ./
COPY app app
COPY templates templates
COPY static static
RUN /opt/moduletree/bin/pip install '.[hf]'

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data moduletree \
 && install --directory --owner=moduletree --group=moduletree /data
COPY --from=build /opt/moduletree /opt/moduletree
ENV PATH=/opt/moduletree/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MODULETREE_HOST=0.0.0.0 \
    MODULETREE_DATA_DIR=/data
USER moduletree
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["moduletree"]
CMD ["serve"]
