import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** What compression would only make larger. */
const PACKED = /\.(woff2|png|br|gz)$/;

/** Writes a `.br` and a `.gz` beside each file that they make smaller. */
export function precompressed(): Plugin {
  let folder = "";
  return {
    name: "precompressed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (PACKED.test(name) || !name.includes(".") || name === "index.html") continue;
        const path = join(folder, name);
        const bytes = readFileSync(path);
        const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
        const forms = { br: brotliCompressSync(bytes, { params }), gz: gzipSync(bytes, { level: 9 }) };
        for (const [extension, form] of Object.entries(forms)) {
          if (form.length < bytes.length) writeFileSync(`${path}.${extension}`, form);
        }
      }
    },
  };
}
