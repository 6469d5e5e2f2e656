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
npx --no-install esbuild calendar.js --bundle --minify --format=iife --target=es2022 --legal-comments=none \
  --log-level=warning --outfile="$out/fullcalendar.min.js"
cp node_modules/fullcalendar/skeleton.css "$out/fullcalendar.css"
cp node_modules/bootstrap/LICENSE "$out/LICENSES/bootstrap.txt"
cp node_modules/htmx.org/LICENSE "$out/LICENSES/htmx.txt"
cp node_modules/@fontsource-variable/inter/LICENSE "$out/LICENSES/inter.txt"
cp node_modules/fullcalendar/LICENSE.md "$out/LICENSES/fullcalendar.txt"
cp node_modules/@full-ui/headless-calendar/LICENSE.md "$out/LICENSES/headless-calendar.txt"
cp node_modules/preact/LICENSE "$out/LICENSES/preact.txt"
cp node_modules/temporal-polyfill/LICENSE "$out/LICENSES/temporal-polyfill.txt"
cp node_modules/temporal-utils/LICENSE "$out/LICENSES/temporal-utils.txt"
node - "$out" > "$out/manifest.json" <<'JS'
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const out = process.argv[2];
const files = {
  "bootstrap.min.css": "bootstrap",
  "fullcalendar.css": "fullcalendar",
  "fullcalendar.min.js": "fullcalendar",
  "htmx.min.js": "htmx.org",
  "inter-latin-wght-normal.woff2": "@fontsource-variable/inter",
};
// what a bundle holds beside its own package
const bundled = {
  "fullcalendar.min.js": ["@full-ui/headless-calendar", "preact", "temporal-polyfill", "temporal-utils"],
};
const facts = (name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`));
  return { package: name, version, license };
};
const manifest = {};
for (const [file, name] of Object.entries(files)) {
  const sha384 = createHash("sha384").update(readFileSync(`${out}/${file}`)).digest("base64");
  manifest[file] = { ...facts(name), integrity: `sha384-${sha384}` };
  if (bundled[file]) manifest[file].with = bundled[file].map(facts);
}
console.log(JSON.stringify(manifest, null, 2));
JS
echo "vendored into app/static/vendor"
