# syntax=docker/dockerfile:1
# docker build --target core --tag audit:core .   measures, reports, compares and gates runs that were made elsewhere
# docker build --tag audit --build-arg TORCH_INDEX=URL .   also runs models, on the CPU: docs/guide/install.md
# docker run --rm --user "$(id -u)" --volume "$PWD:/work" audit:core report runs/candidate
FROM python:3.11-slim-bookworm AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1

FROM base AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY audit audit
COPY datasets/synthetic_bilingual datasets/synthetic_bilingual
RUN pip wheel --no-deps --wheel-dir /wheels .

FROM base AS core
RUN --mount=type=bind,source=requirements-core.txt,target=/requirements-core.txt \
    --mount=type=bind,source=constraints.txt,target=/constraints.txt \
    pip install --no-compile --requirement /requirements-core.txt --constraint /constraints.txt
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-compile --no-deps /wheels/*.whl
RUN useradd --uid 1000 --create-home audit
USER audit
WORKDIR /work
ENTRYPOINT ["audit"]
CMD ["--help"]

FROM base AS full
# the index of torch for the CPU; without it, torch comes with CUDA
ARG TORCH_INDEX=
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    --mount=type=bind,source=constraints.txt,target=/constraints.txt \
    pip install --no-compile ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} --constraint /constraints.txt /wheels/*.whl
RUN useradd --uid 1000 --create-home audit
USER audit
WORKDIR /work
ENTRYPOINT ["audit"]
CMD ["run"]
