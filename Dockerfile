# The image of every service: web, worker, beat, migrate and the sandbox differ by their command.

# A tag is what its owner makes of it today. To build from the very bytes you have looked at, take the digest that
# `docker buildx imagetools inspect python:3.13-slim` shows: --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:…
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/newsdesk \
 && /opt/newsdesk/bin/pip install --require-hashes -r requirements.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes -r requirements-build.txt
COPY . .
RUN /opt/build/bin/hatchling build -t wheel -d /dist \
 && /opt/newsdesk/bin/pip install --no-deps /dist/*.whl

FROM ${PYTHON_IMAGE}
# The folders that become volumes belong to the user from the start: a volume takes its first rights from the image.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/newsdesk --shell /usr/sbin/nologin newsdesk \
 && for folder in . media themes marks ledgers exports smtp maildir sandbox; do \
      install --directory --mode=700 --owner=newsdesk --group=newsdesk "/var/lib/newsdesk/$folder"; \
    done
COPY --from=build /opt/newsdesk /opt/newsdesk
ENV PATH=/opt/newsdesk/bin:$PATH PYTHONUNBUFFERED=1 NEWSDESK_HOME=/var/lib/newsdesk NEWSDESK_LOG_LEVEL=INFO
USER newsdesk
WORKDIR /var/lib/newsdesk
# The keys are for this one command and stay out of the image; without them a home makes its own.
RUN SECRET_KEY=not-kept-anywhere-only-for-collectstatic SENDGRID_API_KEY=none newsdesk collectstatic --noinput
EXPOSE 8000
CMD ["gunicorn", "--config", "python:newsdesk.local_stack.gunicorn_config", "--bind", "0.0.0.0:8000"]
