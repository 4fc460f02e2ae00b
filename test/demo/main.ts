import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProgram } from "../../builder/cli.ts";
import { renderError } from "../../builder/render/error.ts";
import { exitCodeOf } from "../../format/errors.ts";
import { say } from "../fixtures/cache.ts";
import { buildKeepingPackage } from "../fixtures/fixture-package.ts";
import { buildGatewayDisk } from "../fixtures/gateway-disk.ts";
import { rootPassword } from "../fixtures/gateways.ts";
import { targetRootFilesystem } from "../fixtures/root-filesystem.ts";

/** `npm run demo`: a gateway as customers have it, a package, and the conversion of the one by the other; out/demo has the rest. */
const outputFolder = fileURLToPath(new URL("../../out/demo/", import.meta.url));
const begin = performance.now();

async function demo(): Promise<void> {
  // Downloads and installation of the one run while the other waits for the network.
  const [gateway] = await Promise.all([buildGatewayDisk("centos"), targetRootFilesystem()]);
  const packageFolder = await buildKeepingPackage();
  await mkdir(outputFolder, { recursive: true });
  const passwordFile = join(outputFolder, "password.txt");
  await writeFile(passwordFile, `${rootPassword}\n`, { mode: 0o600 });
  say(`demo: gateway and package are ready after ${seconds()} s`);
  const words = [
    "smoke",
    packageFolder,
    "--gateway",
    gateway.disk,
    "--nic-mac",
    gateway.macAddress,
    "--processor",
    "plain",
  ];
  await createProgram().parseAsync(
    [...words, "--password-file", passwordFile, "--out", outputFolder, ...process.argv.slice(2)],
    {
      from: "user",
    },
  );
  say(
    `demo: ${seconds()} s in all; report.json, junit.xml, console.log and screenshots are in ${outputFolder}`,
  );
}

function seconds(): string {
  return ((performance.now() - begin) / 1000).toFixed(0);
}

try {
  await demo();
} catch (error) {
  renderError(error, { json: false });
  process.exitCode = exitCodeOf(error);
}
