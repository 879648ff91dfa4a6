// Reads a simulated account with PagerDuty's JavaScript client and prints the ids it found.
// Arguments: the REST base address, an API key, a window as JSON.
const { api } = require("@pagerduty/pdjs");

const [base, token, text] = process.argv.slice(2);
const window = JSON.parse(text);

async function everything(name, queryParameters) {
  const pages = [];
  let answer = await api({ token })({ url: `${base}/${name}`, queryParameters });
  while (answer) {
    if (answer.status !== 200) throw new Error(`${name}: ${answer.status}`);
    pages.push(...answer.data[name].map((row) => row.id));
    answer = answer.next ? await answer.next() : null;
  }
  return pages;
}

async function main() {
  const found = {
    users: await everything("users", { limit: "100" }),
    incidents: await everything("incidents", { ...window, limit: "100" }),
    log_entries: await everything("log_entries", { ...window, limit: "100" }),
  };
  process.stdout.write(JSON.stringify(found));
}

main().catch((error) => {
  process.stderr.write(`${error.stack || JSON.stringify(error)}\n`);
  process.exitCode = 1;
});
