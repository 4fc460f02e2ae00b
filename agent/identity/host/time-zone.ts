import type { RootFolder } from "../root-folder.ts";

const folder = "/usr/share/zoneinfo";
const zoneName = /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/;

/** Where /etc/localtime points, what /etc/timezone or sysconfig/clock say, or which zone a copied /etc/localtime equals. */
export async function readTimeZone(root: RootFolder): Promise<string | undefined> {
  const link = await root.linkTarget("/etc/localtime");
  const linked = zone(link?.replace(/^.*\/zoneinfo\/(?:posix\/|right\/)?/, ""));
  if (link?.includes("/zoneinfo/") === true && linked !== undefined) return linked;
  const named =
    zone(
      (await root.readText("/etc/timezone"))
        ?.split(/\r?\n/)
        .map((line) => line.trim())
        .find((line) => line !== "" && !line.startsWith("#")),
    ) ?? zone(/^\s*ZONE=["']?([^"'\s]+)/m.exec((await root.readText("/etc/sysconfig/clock")) ?? "")?.[1]);
  const content = await root.readBytes("/etc/localtime", 64 * 1024);
  if (content === undefined) return named;
  if (
    named !== undefined &&
    (await root.readBytes(`${folder}/${named}`, 64 * 1024))?.equals(content) === true
  )
    return named;
  return (await zoneOfContent(root, content)) ?? named;
}

/** Several names have the same rules; of those, `Area/City` and then the alphabet decide. */
async function zoneOfContent(root: RootFolder, content: Buffer): Promise<string | undefined> {
  const found: string[] = [];
  const walk = async (prefix: string, depth: number): Promise<void> => {
    for (const name of await root.list(`${folder}/${prefix}`)) {
      const path = `${prefix}${name}`;
      if (
        path === "posix" ||
        path === "right" ||
        path === "localtime" ||
        path === "posixrules" ||
        !zoneName.test(path)
      )
        continue;
      const facts = await root.stat(`${folder}/${path}`);
      if (facts?.isDirectory() === true && depth < 4) await walk(`${path}/`, depth + 1);
      if (facts?.isFile() !== true || facts.size !== content.length) continue;
      if ((await root.readBytes(`${folder}/${path}`, 64 * 1024))?.equals(content) === true) found.push(path);
    }
  };
  await walk("", 0);
  return found.find((name) => name.includes("/") && !name.startsWith("Etc/")) ?? found[0];
}

function zone(text: string | undefined): string | undefined {
  return text !== undefined && zoneName.test(text) ? text : undefined;
}
