import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { precompressed } from "./build/precompressed.ts";

/** The server that `npm run dev` asks for everything but the page itself. */
const server = process.env.CARDO ?? "http://127.0.0.1:8787";
const faces = ["ngsi-ld", "ogc", "graphql", "names", "sources", "health", "ready", "metrics", "reference", "tenants"];

export default defineConfig({
  // Addresses are relative: the page says in its <base> where it is served.
  base: "./",
  plugins: [react(), precompressed()],
  build: {
    assetsDir: "console",
    assetsInlineLimit: 0,
    target: "es2022",
    emptyOutDir: true,
    chunkSizeWarningLimit: 1500,
    // The prelude would fetch with `<link>`s of its own; the few chunks are small and local.
    modulePreload: false,
  },
  // Those in `tests` need a server and a browser.
  test: { include: ["src/**/*.test.ts"] },
  server: {
    proxy: {
      ...Object.fromEntries(faces.map((face) => [`/${face}`, { target: server, ws: face === "graphql" }])),
      // The index for programs has the address of the page.
      "^/$": {
        target: server,
        bypass: (request) => (request.headers.accept?.includes("text/html") ? "/index.html" : undefined),
      },
    },
  },
});
