import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SmokeOptions } from "../../builder/smoke/options.ts";
import { GiB } from "../../format/sizes.ts";
import type { GatewayFixture } from "../fixtures/gateway-disk.ts";
import { rootPassword } from "../fixtures/gateways.ts";

export const outputFolder = fileURLToPath(new URL("../../out/conversion/", import.meta.url));

/** What `dualroot smoke PACKAGE --gateway DISK` would be asked, for a gateway of the fixtures. */
export function smokeOptions(
  name: string,
  gateway: GatewayFixture,
  packageFolder: string,
  changes: Partial<SmokeOptions> = {},
): SmokeOptions {
  return {
    packageFolder,
    gateway: gateway.disk,
    user: "root",
    password: rootPassword,
    memoryBytes: GiB,
    bootMethod: "auto",
    processor: "plain",
    macAddress: gateway.macAddress,
    fromUrl: false,
    outputFolder: join(outputFolder, name),
    keep: false,
    ...changes,
  };
}
