import type { KeyRole } from "../../format/signature.ts";
import { createKeyPair } from "../package/create-key-pair.ts";
import { printResult } from "../render/print.ts";

export async function keygenCommand(folder: string, options: { role: KeyRole; json?: true }): Promise<void> {
  const pair = await createKeyPair(folder, options.role);
  printResult(options.json, { ok: true, ...pair }, () => [
    `${pair.privateFile}  private: keep it secret, packages are signed with it`,
    `${pair.publicFile}  public: name it in trustedKeys, id ${pair.key.keyId}`,
  ]);
}
