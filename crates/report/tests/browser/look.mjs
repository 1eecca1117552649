// Looks at pages in a real browser and says what is wrong with them.
//
//     node look.mjs JOB.json
//
// The job: {"root": folder, "pages": [{"path": "slate.html", "policy": content-security-policy or null,
// "mail": whether it is shown within a mail program, "markup": "mail" where tables and attributes lay it out}],
// "shots": folder or null}.
// Prints {"looked": number, "findings": [...]} and exits 1 when there is a finding, 2 when it cannot look.

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { launch, require, serve } from "./browser.mjs";

const { HtmlValidate } = require("html-validate");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [1100, 600, 390];
const SCHEMES = ["light", "dark"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What a mail program shows has a frame of its own around it. */
const NOT_IN_MAIL = ["region", "landmark-one-main", "skip-link", "scrollable-region-focusable"];

const rules = {
  "no-trailing-whitespace": "off",
  "long-title": "off",
  "void-style": "off",
  // Stylesheet and script are our own, served from the same place; what may run is the policy's business.
  "require-sri": "off",
};
/** What the mail's renderer writes for Outlook's sake, whatever the template says. */
const OF_MJML = [
  ["no-conditional-comment", ""],
  ["prefer-native-element", "<article>"],
  ["attribute-allowed-values", 'Attribute "height" has invalid value "auto"'],
];
/** Mail programs know tables and attributes better than stylesheets. */
const mailRules = { ...rules, "no-inline-style": "off", "no-deprecated-attr": "off", "prefer-tbody": "off" };
const extending = ["html-validate:recommended"];
const validators = {
  page: new HtmlValidate({ extends: extending, rules }),
  mail: new HtmlValidate({ extends: extending, rules: mailRules }),
};

function validate(job, page) {
  const report = validators[page.markup ?? "page"].validateStringSync(readFileSync(join(job.root, page.path), "utf8"), page.path);
  const isOfMjml = ({ ruleId, message }) => OF_MJML.some(([rule, words]) => ruleId === rule && message.includes(words));
  const messages = report.results.flatMap((result) => result.messages).filter((message) => page.markup !== "mail" || !isOfMjml(message));
  return messages.map((message) => ({
    page: page.path,
    check: `html-validate ${message.ruleId}`,
    says: `${message.message} (line ${message.line})`,
    at: message.selector ?? "",
  }));
}

async function settle(tab, width, scheme) {
  await tab.setViewport({ width, height: 900, isMobile: width < 500, hasTouch: width < 500 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
}

/** Returns what stands out of the window on the right; what a box of its own scrolls does not. */
async function overflow(tab) {
  return tab.evaluate(() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const scrolls = (element) => ["auto", "scroll", "hidden"].includes(getComputedStyle(element).overflowX);
    const isFree = (element) => {
      for (let box = element.offsetParent ?? element.parentElement; box && box !== document.body; box = box.parentElement) {
        if (scrolls(box)) return false;
      }
      return true;
    };
    const stands = (element) => element.getBoundingClientRect().right > room + 1 && isFree(element);
    return [...document.body.querySelectorAll("*")].filter(stands).slice(-3).map((element) => element.outerHTML.slice(0, 120));
  });
}

async function accessibility(tab, isMail) {
  const rules = Object.fromEntries((isMail ? NOT_IN_MAIL : []).map((rule) => [rule, { enabled: false }]));
  const world = await tab.mainFrame().isolatedRealm();
  await world.evaluate(axe);
  const options = { runOnly: { type: "tag", values: RULES }, rules, resultTypes: ["violations"] };
  return world.evaluate(async (options) => (await globalThis.axe.run(document, options)).violations, options);
}

async function look(browser, job, page, origin) {
  const findings = validate(job, page);
  const tab = await browser.newPage();
  const note = (check, says, at = "") => findings.push({ page: page.path, check, says, at });
  tab.on("pageerror", (error) => note("script", String(error)));
  tab.on("console", (message) => message.type() === "error" && note("console", message.text()));
  tab.on("requestfailed", (request) => note("request", `${request.url()}: ${request.failure()?.errorText}`));
  tab.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) note("request", `asks outside: ${request.url()}`);
  });
  await tab.goto(`${origin}/${page.path}`, { waitUntil: "load" });
  for (const scheme of SCHEMES) {
    for (const width of WIDTHS) {
      await settle(tab, width, scheme);
      const where = `${width} px, ${scheme}`;
      for (const html of await overflow(tab)) note("overflow", where, html);
      for (const violation of await accessibility(tab, page.mail === true)) {
        for (const node of violation.nodes) {
          note(`axe ${violation.id}`, `${where}: ${violation.help}. ${node.failureSummary ?? ""}`, node.target.join(" "));
        }
      }
      if (job.shots) {
        mkdirSync(job.shots, { recursive: true });
        await tab.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = false)));
        const file = `${page.path.replace(/\W+/g, "-")}-${width}-${scheme}.png`;
        await tab.screenshot({ path: join(job.shots, file), fullPage: true });
      }
    }
  }
  await tab.close();
  return findings;
}

/** The same finding at several widths is one finding. */
function merged(findings) {
  const seen = new Map();
  for (const finding of findings) {
    const key = [finding.page, finding.check, finding.at].join("\n");
    if (!seen.has(key)) seen.set(key, finding);
  }
  return [...seen.values()];
}

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const browser = await launch();
const server = await serve(job);
try {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const findings = [];
  for (const page of job.pages) findings.push(...(await look(browser, job, page, origin)));
  const all = merged(findings);
  console.log(JSON.stringify({ looked: job.pages.length, findings: all }, null, 1));
  process.exitCode = all.length > 0 ? 1 : 0;
} finally {
  await browser.close();
  server.close();
}
