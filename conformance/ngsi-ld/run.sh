#!/usr/bin/env bash
# Runs the NGSI-LD suite against a server of its own and counts by directory.
#
#   git clone https://github.com/marek-mraz/ngsi-ld-test-suite suite
#   bash conformance/ngsi-ld/run.sh suite                               # all of it, five minutes
#   bash conformance/ngsi-ld/run.sh suite ContextInformation/Provision  # what is below TP/NGSI-LD/...
#
# CARDO names the binary (target/release/cardo), WORK a folder for what is made on the way. Ports 9090 and
# 8085 to 8087 have to be free. The last line is `PASSED x OF y`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }
suite=$(cd "$1" && pwd) && shift
cardo=$(realpath "${CARDO:-$here/../../target/release/cardo}")
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)

if [ ! -e "$work/venv/ready" ]; then
  python3 -m venv "$work/venv"
  grep -vE '^(#|-e |robotframework-robocop)' "$suite/requirements.txt" >"$work/requirements.txt"
  "$work/venv/bin/pip" install --quiet --requirement "$work/requirements.txt"
  touch "$work/venv/ready"
fi

# The contexts of the suite are kept beforehand, so that its payloads need no internet.
cp "$here/cardo.toml" "$work/cardo.toml"
rm -rf "$work/data" "$work/results"
contexts=$suite/resources/jsonld-contexts
published=https://raw.githubusercontent.com/marek-mraz/ngsi-ld-test-suite/main/resources/jsonld-contexts
forge=https://forge.etsi.org/rep/cim/ngsi-ld-test-suite/-/raw/develop/resources/jsonld-contexts
older=https://easy-global-market.github.io/ngsild-api-data-models/ngsildTestSuite
keep() { "$cardo" context add "$1" "$2" --config "$work/cardo.toml" >/dev/null; }
for base in "$published" "$forge"; do
  keep "$base/ngsi-ld-test-suite.jsonld" "$contexts/ngsi-ld-test-suite.jsonld"
  keep "$base/ngsi-ld-test-suite-compound.jsonld" "$contexts/ngsi-ld-test-suite-compound.jsonld"
done
keep "$older/ngsildTestSuiteV1.8-compound.jsonld" "$contexts/ngsi-ld-test-suite-compound.jsonld"
# Three more are named by tests of jsonldContext, which need that they can be had and none of their terms.
echo '{"@context": {}}' >"$work/empty.jsonld"
keep https://fiware.github.io/data-models/context.jsonld "$work/empty.jsonld"
keep https://fiware.github.io/NGSI-LD_TestSuite/ldContext/testContext.jsonld "$work/empty.jsonld"
keep http://smartdatamodels.org/context.jsonld "$work/empty.jsonld"

"$cardo" serve --config "$work/cardo.toml" >"$work/cardo.log" 2>&1 &
server=$!
trap 'kill $server' EXIT
curl --silent --retry 20 --retry-connrefused --retry-delay 1 --output /dev/null http://127.0.0.1:9090/ready

# A variable of the command line wins over resources/variables.py; robot ends with the number of failures.
api=http://127.0.0.1:9090/ngsi-ld/v1
settings=(--variable "url:$api" --variable "temporal_api_url:$api")
for host in notification_server context_source context_server mqtt_broker; do
  settings+=(--variable "${host}_host:127.0.0.1")
done
cd "$suite"
for directory in "${@:-}"; do
  name=${directory:-all}
  "$work/venv/bin/robot" --pythonpath libraries/robotframework-httpctrl/src "${settings[@]}" --console none \
    --outputdir "$work/results/${name//\//_}" "TP/NGSI-LD/$directory" >/dev/null 2>&1 || true
done

"$work/venv/bin/python" - "$work/results" "$suite/TP/NGSI-LD" <<'PY'
import collections, os, sys
from robot.api import ExecutionResult, ResultVisitor

results, top = sys.argv[1:]
counts, failed = collections.Counter(), []


class Count(ResultVisitor):
    def visit_test(self, test):
        folder = os.path.relpath(os.path.dirname(test.source), top)
        counts[folder, test.status] += 1
        if test.status == "FAIL":
            failed.append(f"{folder}\t{test.name}\t{' '.join(test.message.split())[:300]}\n")


for name in sorted(os.listdir(results)):
    ExecutionResult(os.path.join(results, name, "output.xml")).visit(Count())
for folder in sorted({folder for folder, _ in counts}):
    print(f"{folder:100} {counts[folder, 'PASS']:4} passed {counts[folder, 'FAIL']:4} failed")
with open(os.path.join(results, "failed.txt"), "w") as file:
    file.writelines(failed)
print(f"what failed: {results}/failed.txt")
passed = sum(count for (_, status), count in counts.items() if status == "PASS")
print(f"PASSED {passed} OF {sum(counts.values())}")
PY
