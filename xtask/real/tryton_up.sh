#!/bin/bash
# Starts a real Tryton 8.0 that holds our catalogue, and tells where it listens.
#
# usage: tryton_up.sh CACHE RUN CATALOGUE.json [plain|full]
#   CACHE      where the installation and the filled database are kept between runs
#   RUN        where this run's database, configuration and log lie
#   CATALOGUE  what `syncline sim catalogue` prints
#   plain      without the modules web_shop and product_measurements
#   full       with the module product_image and a second company, too
#   papers     with the module stock_package_shipping, too
#   amend      with the modules stock_package_shipping and sale_amendment, too
#   drop       with the modules stock_package_shipping and sale_supply_drop_shipment, too
# Progress goes to stderr; stdout is one line: {"url","login","password","pid","db","run"}.
# The server stays in the caller's process group.
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: tryton_up.sh CACHE RUN CATALOGUE.json [plain]" >&2; exit 64; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1" "$2/db"
cache=$(cd "$1" && pwd); run=$(cd "$2" && pwd); items=$(realpath "$3"); shape=${4:-web_shop}
login=sync password=sync-pw-1
began=$SECONDS
say() { echo "[$((SECONDS - began)) s] $*" >&2; }
python=$(command -v python3) || { echo "python3 is missing: install it, then run this again" >&2; exit 1; }

# A virtual environment, however this machine can make one.
environment() {
  "$python" -m venv "$1" 2>/dev/null && return
  rm -rf "$1"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "python3-venv is missing, installing it"
    { apt-get install -y -q python3-venv || { apt-get update -q && apt-get install -y -q python3-venv; }; } >&2
    "$python" -m venv "$1" && return
    rm -rf "$1"
  fi
  "$python" -m pip install -q --disable-pip-version-check --target "$1.tool" virtualenv >&2
  PYTHONPATH="$1.tool" "$python" -m virtualenv -q "$1" >&2
}

venv=$cache/venv-$(sha256sum < "$here/tryton.txt" | cut -c1-12)
if [ ! -f "$venv/ok" ]; then
  rm -rf "$venv"
  environment "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check -r "$here/tryton.txt" >&2
  touch "$venv/ok"
  say "installed"
fi

modules="account_invoice_stock sale sale_price_list"
[ "$shape" = plain ] || modules="$modules web_shop product_measurements"
[ "$shape" != full ] || modules="$modules product_image"
[ "$shape" != papers ] || modules="$modules stock_package_shipping"
[ "$shape" != drop ] || modules="$modules stock_package_shipping sale_supply_drop_shipment"
[ "$shape" != amend ] || modules="$modules stock_package_shipping sale_amendment"
places=$here/../../crates/sim/src/tryton/places.txt
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
configure() { # DIRECTORY PORT
  printf '[database]\nuri = sqlite:///\npath = %s\n[web]\nlisten = 127.0.0.1:%s\n[session]\ntimeout = 86400\n[password]\nlength = 4\n' \
    "$1" "$2" > "$1/trytond.conf"
}

# The set-up depends on nothing but the modules, the filling on the catalogue too: two golden copies.
versions=$("$venv/bin/pip" list --disable-pip-version-check --format freeze | sha256sum)
set_up=$cache/set-up-$(echo "$versions $modules" | cat - "$here/tryton_fill.py" "$places" | sha256sum | cut -c1-16).sqlite
filled=$cache/filled-$(echo "$set_up" | cat - "$items" | sha256sum | cut -c1-16).sqlite
if [ ! -f "$filled" ]; then
  building=$(mktemp -d /dev/shm/tryton.XXXXXX 2>/dev/null || mktemp -d "$cache/building.XXXXXX") # memory, if there is some
  trap 'rm -rf "$building"' EXIT
  configure "$building" 0
  export TRYTOND_CONFIG=$building/trytond.conf
  if [ -f "$set_up" ]; then
    cp "$set_up" "$building/erp.sqlite"
  else
    touch "$building/erp.sqlite"
    echo "$password" > "$building/word"
    TRYTONPASSFILE=$building/word "$venv/bin/trytond-admin" -c "$building/trytond.conf" -d erp \
      --email admin@example.com --activate-dependencies -u $modules > "$run/set-up.log" 2>&1 \
      || { tail -20 "$run/set-up.log" >&2; exit 1; }
    say "modules activated"
    "$venv/bin/python" "$here/tryton_fill.py" set-up "$building/trytond.conf" erp "$places" "$login" "$password" >&2
    [ "$shape" != full ] || "$venv/bin/python" "$here/tryton_fill.py" second "$building/trytond.conf" erp "$login" >&2
    cp "$building/erp.sqlite" "$set_up.$$" && mv "$set_up.$$" "$set_up"
    say "company, chart, taxes, currencies, places, web shop"
  fi
  "$venv/bin/python" "$here/tryton_fill.py" catalogue "$building/trytond.conf" erp "$items" >&2
  cp "$building/erp.sqlite" "$filled.$$" && mv "$filled.$$" "$filled"
  rm -rf "$building"
  trap - EXIT
  say "catalogue"
fi

cp "$filled" "$run/db/erp.sqlite"
configure "$run/db" "$port"
# Every request proves its password anew, and Tryton's hash takes a tenth of a second of all cores for it. A run is about
# other things, so this server hashes cheaply; it is Tryton as it is in all else.
serve='import functools, sys, pwdlib.hashers.argon2 as argon2
argon2.Argon2Hasher = functools.partial(argon2.Argon2Hasher, time_cost=1, memory_cost=64, parallelism=1)
from trytond.cli import main
sys.argv[0] = "trytond"
sys.exit(main())'
"$venv/bin/python" -c "$serve" -c "$run/db/trytond.conf" -d erp > "$run/log" 2>&1 < /dev/null &
pid=$!
echo "$pid" > "$run/pid"
ask='import sys, urllib.request as u
u.urlopen(u.Request(sys.argv[1], b"{\"id\":0,\"method\":\"common.server.version\",\"params\":[]}", {"Content-Type": "application/json"}), timeout=5)'
for _ in $(seq 300); do
  "$python" -c "$ask" "http://127.0.0.1:$port/rpc/" 2>/dev/null && up=1 && break
  kill -0 "$pid" 2>/dev/null || { echo "the server ended; its log is $run/log" >&2; tail -20 "$run/log" >&2; exit 1; }
  sleep 0.1
done
[ "${up:-}" ] || { echo "the server does not answer; its log is $run/log" >&2; kill "$pid"; exit 1; }
say "up"
echo "{\"url\":\"http://127.0.0.1:$port/erp\",\"login\":\"$login\",\"password\":\"$password\",\"pid\":$pid,\"db\":\"$run/db/erp.sqlite\",\"run\":\"$run\"}"
