#!/bin/sh
# Copies the few vendored files into app/static/vendor and writes their manifest. Needs npm; nobody else does:
# the result is checked in, and tests/web/test_vendored_files.py compares it with the manifest.
set -eu
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund
out=../app/static/vendor
rm -rf "$out"
mkdir -p "$out/LICENSES"
cp node_modules/bootstrap/dist/css/bootstrap.min.css "$out/"
cp node_modules/htmx.org/dist/htmx.min.js "$out/"
cp node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2 "$out/"
cp node_modules/bootstrap/LICENSE "$out/LICENSES/bootstrap.txt"
cp node_modules/htmx.org/LICENSE "$out/LICENSES/htmx.txt"
cp node_modules/@fontsource-variable/inter/LICENSE "$out/LICENSES/inter.txt"
node - "$out" > "$out/manifest.json" <<'JS'
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const out = process.argv[2];
const files = {
  "bootstrap.min.css": "bootstrap",
  "htmx.min.js": "htmx.org",
  "inter-latin-wght-normal.woff2": "@fontsource-variable/inter",
};
const manifest = {};
for (const [file, name] of Object.entries(files)) {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`));
  const sha384 = createHash("sha384").update(readFileSync(`${out}/${file}`)).digest("base64");
  manifest[file] = { package: name, version, license, integrity: `sha384-${sha384}` };
}
console.log(JSON.stringify(manifest, null, 2));
JS
echo "vendored into app/static/vendor"
