import { createHash } from "node:crypto";

/** XFS shows every ACL a second time under these names. */
const doubles = new Set(["trusted.SGI_ACL_FILE", "trusted.SGI_ACL_DEFAULT"]);
/** A SELinux label fits; a longer text is told by its digest, for tens of thousands of files are kept in memory. */
const longestText = 160;

/** A file's extended attributes (name to value in hexadecimal digits) as one text that is the same for the same attributes; empty for none. */
export function attributesText(attributes: ReadonlyMap<string, string>): string {
  const text = [...attributes]
    .filter(([name]) => !doubles.has(name))
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join(";");
  return text.length <= longestText ? text : createHash("sha256").update(text, "latin1").digest("hex");
}
