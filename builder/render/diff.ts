import { manifestName, packageFiles } from "../../format/manifest.ts";
import type { PackageDifference } from "../package/compare-packages.ts";
import { table } from "./table.ts";

/** Of entries that differ in the same field, and of fields of the manifest that follow from other differences. */
const shownEntries = 10;
const longestValue = 40;

/** What says most comes first; times, which differ in every file of a new build, last. */
const fieldOrder = ["presence", "type", "sha256", "sizeBytes", "linkTarget", "mode", "uid", "gid"];

/** File by file, and in the root filesystem field by field. */
export function diffLines(differences: readonly PackageDifference[]): string[] {
  if (differences.length === 0) return ["the packages are equal"];
  const files = [...new Set(differences.map(({ file }) => file))];
  return files.flatMap((file, index) => {
    const own = differences.filter((difference) => difference.file === file);
    const lines = file === packageFiles.rootfs ? entryLines(own) : keyLines(own, files);
    return [...(index > 0 ? [""] : []), file, ...lines];
  });
}

function keyLines(differences: readonly PackageDifference[], files: readonly string[]): string[] {
  // That a file's digest differs where the file does is no news.
  const isNews = ({ file, at }: PackageDifference) =>
    file !== manifestName || !files.some((name) => at.startsWith(`files.${name}.`));
  const news = differences.filter(isNews);
  const lines = table(
    news.map(({ at, a, b }) => [at, `${short(a)} | ${short(b)}`]),
    { indent: "  " },
  );
  if (news.length === differences.length) return lines;
  return [...lines, `  and digests and sizes of the files below`];
}

function entryLines(differences: readonly PackageDifference[]): string[] {
  const rank = (field: string) => {
    const index = fieldOrder.indexOf(field);
    return index === -1 ? fieldOrder.length + (field === "modifiedAt" ? 1 : 0) : index;
  };
  const fields = [...new Set(differences.map(({ field }) => field))].sort((a, b) => rank(a) - rank(b));
  return fields.flatMap((field) => {
    const own = differences.filter((difference) => difference.field === field);
    const rest = own.length - shownEntries;
    return [
      `  ${field} of ${own.length} ${own.length === 1 ? "entry" : "entries"}`,
      ...table(
        own.slice(0, shownEntries).map(({ at, a, b }) => [at, `${value(field, a)} | ${value(field, b)}`]),
        { indent: "    " },
      ),
      ...(rest > 0 ? [`    and ${rest} more (--json has all)`] : []),
    ];
  });
}

function value(field: string, json: string): string {
  const isTime = field === "modifiedAt" && /^\d+$/.test(json);
  return isTime ? new Date(Number(json) * 1000).toISOString().slice(0, 19) : short(json);
}

function short(json: string): string {
  const text = json.replace(/^"([\s\S]*)"$/, "$1");
  if (/^[0-9a-f]{64}$/.test(text)) return text.slice(0, 16);
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`;
}
