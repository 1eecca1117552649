// A real browser, and a server on loopback that hands it a folder.
//
// The modules are taken from EDGE_BROWSER_TOOLS (a folder with node_modules), else from beside this file.

import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, extname, join, normalize, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

const tools = process.env.EDGE_BROWSER_TOOLS;
export const require = createRequire(tools ? pathToFileURL(join(resolve(tools), "any.js")) : import.meta.url);
const puppeteer = await import(pathToFileURL(require.resolve("puppeteer-core")).href);

const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png" };

function chromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const places = (process.env.PATH ?? "").split(delimiter);
  return places.flatMap((place) => names.map((name) => join(place, name))).find((file) => existsSync(file));
}

/** Starts the browser; exits with 2 when there is none. */
export async function launch() {
  const executablePath = chromium();
  if (!executablePath) {
    console.error("no chromium found: install one, or name it by CHROMIUM");
    process.exit(2);
  }
  return puppeteer.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"],
  });
}

/** Serves the folder on loopback, each page under its own policy. */
export function serve(job) {
  const root = resolve(job.root);
  const policies = new Map(job.pages.map((page) => [`/${page.path}`, page.policy]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    // A page that names no icon is asked for one all the same.
    if (path === "/favicon.ico") return response.writeHead(204).end();
    const file = normalize(join(root, path));
    if (!file.startsWith(root + sep) || !existsSync(file)) return response.writeHead(404).end();
    const headers = { "content-type": TYPES[extname(file)] ?? "application/octet-stream" };
    if (policies.get(path)) headers["content-security-policy"] = policies.get(path);
    response.writeHead(200, headers).end(readFileSync(file));
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}
