# Runs a script of this project with the pinned Bun, after the pinned packages are in place. Needs Node.js and npm only.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
bun=$(sh scripts/bun-path.sh)
if [ ! -d node_modules ] || [ bun.lock -nt node_modules/.installed ] || [ package.json -nt node_modules/.installed ]; then
  "$bun" install --frozen-lockfile --ignore-scripts >&2
  touch node_modules/.installed
fi
PATH="$(dirname -- "$bun"):$PATH"
export PATH
exec "$bun" "$@"
