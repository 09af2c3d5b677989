#!/usr/bin/env bash
# Runs a command with a Docker engine and an image for `sam local`.
# usage: scripts/with_docker_engine.sh FOLDER COMMAND...
#
# If a Docker engine is running, the command uses it, and SAM downloads its own image.  Otherwise, as root on Debian, the
# script starts an engine for the command with its data in FOLDER.  It builds the image from Debian's Python 3.13 and the
# locked runtime client, without an image registry.  If neither is possible, it prints NOT RUN and exits with 0.
set -euo pipefail
folder=$(realpath -m "$1")
shift
image=infusion-orders/lambda-python3.13
here=$(cd "$(dirname "$0")/.." && pwd)

not_run() {
  echo "NOT RUN: $1" >&2
  exit 0
}

start_engine() {
  [ "$(id -u)" = 0 ] || not_run "no Docker engine is running, and only root can start one"
  if ! command -v dockerd >/dev/null || ! command -v debootstrap >/dev/null; then
    command -v apt-get >/dev/null || not_run "no Docker engine is running, and none can be installed"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io debootstrap; } \
      >/dev/null || not_run "no Docker engine is running, and installing one failed"
  fi
  mkdir -p "$folder"
  # The path of a socket is limited to about 100 characters, so the socket is not in FOLDER.
  sockets=$(mktemp -d)
  export DOCKER_HOST="unix://$sockets/docker.sock"
  for driver in overlay2 vfs; do
    dockerd --data-root "$folder/data" --exec-root "$sockets/run" --pidfile "$sockets/pid" --host "$DOCKER_HOST" \
      --storage-driver "$driver" >"$folder/dockerd.log" 2>&1 &
    engine=$!
    trap stop_engine EXIT
    for _ in $(seq 100); do
      docker info >/dev/null 2>&1 && return
      kill -0 "$engine" 2>/dev/null || break
      sleep 0.2
    done
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
  done
  tail -3 "$folder/dockerd.log" >&2
  not_run "a Docker engine was started but does not answer"
}

stop_engine() {
  kill "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  rm -rf "$sockets"
}

make_image() {
  docker image inspect "$image" >/dev/null 2>&1 && return
  root="$folder/root"
  rm -rf "$root"
  debootstrap --variant=minbase --include=python3.13,ca-certificates trixie "$root" >"$folder/debootstrap.log" ||
    not_run "debootstrap could not download Debian's Python: see $folder/debootstrap.log"
  mkdir -p "$root"/var/{runtime,task,rapid,lang/bin} "$root/opt"
  ln -s /usr/bin/python3.13 "$root/var/lang/bin/python3.13"
  "$here/.venv-sam/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
    --only-binary=:all: --implementation cp --python-version 3.13 --platform "manylinux2014_$(uname -m)" \
    --requirement "$here/requirements/runtime.lock" --target "$root/var/runtime"
  cat >"$root/var/runtime/bootstrap" <<'BOOTSTRAP'
#!/bin/sh
export PYTHONPATH=/var/task:/opt/python:/var/runtime
exec /var/lang/bin/python3.13 -m awslambdaric "${_HANDLER:-$1}"
BOOTSTRAP
  chmod 755 "$root/var/runtime/bootstrap"
  tar -C "$root" -c . | docker import \
    -c 'ENV PATH=/var/lang/bin:/usr/bin:/bin LANG=C.UTF-8 TZ=:UTC LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
    -c 'WORKDIR /var/task' - "$image" >/dev/null
  rm -rf "$root"
}

if ! docker info >/dev/null 2>&1; then
  start_engine
  make_image
  export SAM_LOCAL_IMAGE=$image
fi
"$@"
