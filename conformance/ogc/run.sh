#!/usr/bin/env bash
# Serves the twin of fixtures/certification and runs a suite of the OGC against it.
#
#   bash conformance/ogc/run.sh                                # serves it, until Ctrl-C
#   bash conformance/ogc/run.sh ets-ogcapi-features10          # a clone of a suite: built where that was not done
#   bash conformance/ogc/run.sh ets-ogcapi-tiles10 ROOT/tiles/WorldCRS84Quad   # the tileset, if not that of WebMercatorQuad
#
# CARDO names the binary (target/release/cardo), WORK a folder for what is made on the way; port 9091 has to be free.
# A suite needs Java 17 and Maven. Fails unless all tests passed and none was skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
fixture=$here/../../fixtures/certification
cardo=$(realpath "${CARDO:-$here/../../target/release/cardo}")
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
root=http://127.0.0.1:9091/ogc

jar_of() {
  local suite=$1 found
  found=$(find "$suite/target" -name '*-aio.jar' 2>/dev/null | head -n 1)
  if [ -z "$found" ]; then
    (cd "$suite" && mvn --quiet --batch-mode -DskipTests -Denforcer.skip=true -Dmaven.javadoc.skip=true package) >&2
    found=$(find "$suite/target" -name '*-aio.jar' | head -n 1)
  fi
  realpath "$found"
}
[ $# -eq 0 ] || jar=$(jar_of "$1")

rm -rf "$work/data" "$work/out"
cp "$here/cardo.toml" "$work/cardo.toml"
for layer in stations zones routes; do
  "$cardo" ingest "$fixture/$layer.geojson" --mapping "$fixture/mappings/$layer.toml" --config "$work/cardo.toml" >/dev/null
done
"$cardo" serve --config "$work/cardo.toml" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
until curl --silent --fail --output /dev/null "$root"; do
  kill -0 $server
  sleep 0.1
done
if [ $# -eq 0 ]; then
  echo "The twin for the suites is at $root"
  wait $server
fi

tileset=${2:-$root/tiles/WebMercatorQuad}
cat >"$work/run.xml" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<properties version="1.0">
  <entry key="iut">$root</entry>
  <entry key="noofcollections">-1</entry>
  <entry key="tilematrixsetdefinitionuri">http://www.opengis.net/def/tilematrixset/OGC/1.0/${tileset##*/}</entry>
  <entry key="urltemplatefortiles">$tileset/{tileMatrix}/{tileRow}/{tileCol}</entry>
  <entry key="tilematrix">2</entry>
  <entry key="mintilerow">0</entry>
  <entry key="maxtilerow">3</entry>
  <entry key="mintilecol">0</entry>
  <entry key="maxtilecol">3</entry>
</properties>
XML
mkdir -p "$work/out"
(cd "$work" && java -jar "$jar" -o "$work/out" run.xml) >"$work/suite.log" 2>&1 || { tail -n 5 "$work/suite.log" >&2; exit 2; }

python3 - "$(find "$work/out" -name testng-results.xml)" <<'PY'
import sys
from collections import Counter
from xml.etree import ElementTree

counts, notes = {}, []
for test in ElementTree.parse(sys.argv[1]).iter("test"):
    for method in test.iter("test-method"):
        status, name = method.get("status"), method.get("name")
        if method.get("is-config") == "true":
            if status == "PASS":
                continue
            status = "SETUP"
        counts.setdefault(test.get("name"), Counter())[status] += 1
        if status != "PASS":
            said = " ".join((method.findtext(".//message") or "").split())
            notes.append(f"{status} {test.get('name')} / {name}: {said[:200]}")
for name, count in counts.items():
    print(f"{name:55} passed {count['PASS']:4}  failed {count['FAIL'] + count['SETUP']:3}  skipped {count['SKIP']:3}")
print(*notes, sep="\n")
passed, whole = (sum(c[s] for c in counts.values() for s in of) for of in (["PASS"], ["PASS", "FAIL", "SKIP", "SETUP"]))
print(f"PASSED {passed} of {whole}")
sys.exit(0 if whole and passed == whole else 1)
PY
