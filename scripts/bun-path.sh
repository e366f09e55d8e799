# Prints the path of the Bun that package.json pins, fetching it from npm where it is missing. Needs Node.js and npm.
# Meant to be sourced or run by sh from the project's folder; says on stderr what it does.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
version=$(node -p "require('$root/package.json').packageManager.split('@')[1]")

usable() { [ -x "$1" ] && [ "$("$1" --version 2>/dev/null)" = "$version" ]; }

for candidate in "$root/.tools/bun" "$(command -v bun 2>/dev/null || true)"; do
  if [ -n "$candidate" ] && usable "$candidate"; then
    printf '%s\n' "$candidate"
    exit 0
  fi
done

# npm may hold back install scripts, and then the package `bun` lacks its binary: the platform packages hold it outright.
packages=$(node -e '
const musl = process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;
const name = `@oven/bun-${process.platform === "win32" ? "windows" : process.platform}-${process.arch === "arm64" ? "aarch64" : process.arch}${musl ? "-musl" : ""}`;
console.log(process.arch === "x64" ? `${name} ${name}-baseline` : name);
')
mkdir -p "$root/.tools"
# With --prefix npm looks for its machine-wide settings (registry, proxy, certificates) elsewhere: they are to hold here too.
NPM_CONFIG_GLOBALCONFIG=$(npm config get globalconfig)
export NPM_CONFIG_GLOBALCONFIG
for package in $packages; do
  echo "fetching Bun $version ($package) from npm …" >&2
  if npm install --loglevel=error --no-audit --no-fund --no-save --ignore-scripts --force --prefix "$root/.tools/npm" "$package@$version" >&2; then
    binary="$root/.tools/npm/node_modules/$package/bin/bun"
    [ -f "$binary" ] || binary="$binary.exe"
    chmod +x "$binary"
    # A processor without AVX2 needs the baseline build: the first one does not even start there.
    if usable "$binary"; then
      mv -f "$binary" "$root/.tools/bun"
      rm -rf "$root/.tools/npm"
      printf '%s\n' "$root/.tools/bun"
      exit 0
    fi
  fi
done
echo "cannot get Bun $version from npm (npm says why above; npm ping shows whether the registry is reachable). Or install Bun $version yourself and put it on the PATH." >&2
exit 1
