#!/usr/bin/env bash
# Installs the Debian packages that the tests need and that are missing, without starting their
# services. What the machine said about starting services stands again afterwards.
set -euo pipefail

packages=(
  redis-server nginx libnginx-mod-stream mosquitto mosquitto-clients
  libpaho-mqtt-dev python3-paho-mqtt chromium prometheus
  iproute2 iptables procps openssl docker-compose
)
policy=/usr/sbin/policy-rc.d
kept=/usr/sbin/policy-rc.d.kept-by-trunkline
lock=/run/lock/trunkline-packages.lock

is_installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    is_installed "$package" || echo "$package"
  done
  # Node comes from many sources: what counts is that the commands are there.
  command -v node >/dev/null 2>&1 || echo nodejs
  command -v npm >/dev/null 2>&1 || echo npm
}

restore_policy() {
  if [[ -e "$kept" ]]; then
    mv -f "$kept" "$policy"
  elif grep -qs 'Trunkline tests' "$policy"; then
    rm -f "$policy"
  fi
}

# A policy that forbids every start already (101) is left alone.
forbid_starts() {
  local answer=0
  if [[ -x "$policy" ]]; then
    "$policy" trunkline-probe start >/dev/null 2>&1 || answer=$?
    [[ "$answer" == 101 ]] && return
  fi
  if [[ -e "$policy" ]]; then
    cp -p "$policy" "$kept"
  fi
  printf '#!/bin/sh\n# Trunkline tests: packages are installed, their services are not started.\nexit 101\n' >"$policy.new"
  chmod 755 "$policy.new"
  mv -f "$policy.new" "$policy"
}

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "test-packages: this is not Debian; have these programs on PATH yourself: ${packages[*]} nodejs npm" >&2
  exit 1
fi

mapfile -t missing < <(missing_packages)
[[ ${#missing[@]} -eq 0 ]] && exit 0

if [[ "$(id -u)" != 0 ]]; then
  echo "test-packages: only root can install what is missing: apt-get install ${missing[*]}" >&2
  exit 1
fi

mkdir -p "$(dirname "$lock")"
exec 9>"$lock"
flock 9
mapfile -t missing < <(missing_packages)
[[ ${#missing[@]} -eq 0 ]] && exit 0

log="$(mktemp)"
finish() {
  local code=$?
  restore_policy
  rm -f "$log"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
restore_policy # after a run that was killed outright
forbid_starts

echo "test-packages: installing ${missing[*]} ..." >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -o DPkg::Lock::Timeout=300 update && apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 9>&- </dev/null; then
  tail -n 30 "$log" >&2
  echo "test-packages: apt-get failed; its last lines stand above." >&2
  exit 1
fi
