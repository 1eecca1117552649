// Takes the pictures of the README.
//
//     node pictures.mjs FOLDER PICTURES
//
// FOLDER holds what `cargo run -p report --example pages FOLDER` and `--example sample FOLDER` wrote.

import { join } from "node:path";
import { launch, serve } from "./browser.mjs";

const PICTURES = [
  { file: "report.png", page: "report.html", width: 760, height: 980 },
  { file: "slate.png", page: "slate.html", width: 1000, height: 860 },
  { file: "game.png", page: "game.html", width: 1000, height: 900 },
];

const [folder, pictures] = process.argv.slice(2);
const browser = await launch();
const server = await serve({ root: folder, pages: [] });
try {
  for (const { file, page, width, height } of PICTURES) {
    const tab = await browser.newPage();
    await tab.setViewport({ width, height });
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
    await tab.goto(`http://127.0.0.1:${server.address().port}/${page}`, { waitUntil: "load" });
    await tab.screenshot({ path: join(pictures, file) });
    await tab.close();
  }
} finally {
  await browser.close();
  server.close();
}
