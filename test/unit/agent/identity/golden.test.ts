import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { captureIdentity } from "../../../../agent/identity/capture.ts";
import { renderNetwork } from "../../../../agent/identity/targets/render-network.ts";
import { networkFamilies } from "../../../../format/manifest.ts";

const golden = join(import.meta.dirname, "../../../golden/identity");
const cases = await readdir(golden);

/** Sample systems (`root/`) and what must come of them. Regenerate with `vitest -u` and read the difference. */
describe.each(cases)("%s", (name) => {
  test("is captured as identity.json, with problems.json", async () => {
    const { identity, problems } = await captureIdentity(join(golden, name, "root"));
    await expect(`${JSON.stringify(identity, null, 2)}\n`).toMatchFileSnapshot(
      join(golden, name, "identity.json"),
    );
    await expect(`${JSON.stringify(problems, null, 2)}\n`).toMatchFileSnapshot(
      join(golden, name, "problems.json"),
    );
  });

  test.each(networkFamilies)("becomes these files of %s", async (family) => {
    const { identity } = await captureIdentity(join(golden, name, "root"));
    const files = renderNetwork(family, identity);
    const text = files
      .map(({ path, mode, content }) => `==> ${path} ${mode.toString(8)} <==\n${content}`)
      .join("\n");
    await expect(text).toMatchFileSnapshot(join(golden, name, `${family}.txt`));
  });
});
