import { userError } from "../../format/errors.ts";
import { RootFolder } from "../identity/root-folder.ts";

const usualPlaces = [
  "/sbin/init",
  "/usr/lib/systemd/systemd",
  "/lib/systemd/systemd",
  "/etc/init",
  "/bin/init",
];

/** PID 1 of the slot; without one the hand-over would end in a kernel panic, where nobody reads why. */
export async function findInit(root: string, asked?: string): Promise<string> {
  const folder = new RootFolder(root);
  const candidates = asked === undefined ? usualPlaces : [asked];
  for (const path of candidates) {
    const facts = await folder.stat(path);
    if (facts?.isFile() === true && (facts.mode & 0o111) !== 0) return path;
  }
  throw userError(
    {
      code: "slot-without-init",
      message: `The root filesystem has no program that could be started: ${candidates.join(", ")}.`,
      hint: "Is it the right volume (root=), and was its content installed? It is mounted at /sysroot.",
    },
    "refused",
  );
}
