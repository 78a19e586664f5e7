#!/usr/bin/env bash
# Puts aip on the PATH of the steps that follow.
set -euo pipefail
folder="$RUNNER_TEMP/aip-cli"
package="aip-cli@$AIP_ACTION_VERSION"
if [ -f "$AIP_ACTION_VERSION" ]; then package="file:$(cd "$(dirname "$AIP_ACTION_VERSION")" && pwd)/$(basename "$AIP_ACTION_VERSION")"; fi
# A folder from the cache holds it already. No script of a dependency runs.
[ -x "$folder/node_modules/.bin/aip" ] || npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" "$package"
"$folder/node_modules/.bin/aip" --version
echo "$folder/node_modules/.bin" >>"$GITHUB_PATH"
