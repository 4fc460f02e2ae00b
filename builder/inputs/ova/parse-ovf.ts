import { SaxesParser } from "saxes";
import { userError, type UserError } from "../../../format/errors.ts";
import { MiB } from "../../../format/sizes.ts";

/** A file that the descriptor names. */
export interface OvfDisk {
  /** Name in the OVA. */
  href: string;
  /** As stated. */
  sizeBytes?: number;
}

/** More than any descriptor has; machines with a thousand parts stay far below. */
export const largestDescriptor = 4 * MiB;
const mostElements = 100_000;
const deepest = 100;
const envelope = /^http:\/\/schemas\.dmtf\.org\/ovf\/envelope\/[12]$/;
/** CIM's word for a disk; 15 and 16 are drives for removable media. */
const diskResource = "17";

interface Element {
  name: string;
  isOvf: boolean;
  attributes: ReadonlyMap<string, string>;
  text: string;
  children: Element[];
}

/**
 * The disks of the one machine that an OVF descriptor tells of, in the order its controllers have them. Pure. No document type,
 * no entities but XML's own.
 */
export function parseOvf(text: string): OvfDisk[] {
  const root = parseXml(text);
  if (root.name !== "Envelope" || !root.isOvf) throw wrong(`its root is <${root.name}>, not OVF's Envelope`);
  if (all(root, "VirtualSystemCollection").length > 0 || all(root, "VirtualSystem").length > 1)
    throw userError({
      code: "ova-several-machines",
      message: `the OVA has several machines: ${all(root, "VirtualSystem")
        .map(({ attributes }) => attributes.get("id") ?? "?")
        .join(", ")}`,
      hint: "Export the one that is wanted.",
    });
  const files = byId(
    all(root, "References").flatMap((list) => all(list, "File")),
    "id",
  );
  const disks = byId(
    all(root, "DiskSection").flatMap((list) => all(list, "Disk")),
    "diskId",
  );
  const wanted = diskOrder(root);
  const ordered = wanted.length > 0 ? wanted : [...disks.keys()].map((id) => ({ kind: "disk", id }));
  const seen = new Set<string>();
  const found: OvfDisk[] = [];
  for (const { kind, id } of ordered) {
    const disk = kind === "disk" ? disks.get(id) : undefined;
    if (kind === "disk" && !disk)
      throw wrong(`the machine has a disk "${id}", which DiskSection does not have`);
    if (disk?.attributes.has("parentRef"))
      throw unsupported(
        `disk "${id}" holds only the changes to another disk`,
        "Export the machine without snapshots.",
      );
    const reference = kind === "disk" ? disk!.attributes.get("fileRef") : id;
    // A disk without a file is an empty one.
    if (reference === undefined || seen.has(reference)) continue;
    seen.add(reference);
    const file = files.get(reference);
    if (!file) throw wrong(`disk "${id}" is in the file "${reference}", which References does not have`);
    found.push(diskOf(file));
  }
  if (found.length === 0) throw wrong("its machine has no disk");
  return found;
}

/** What the machine's hardware says of its disks: by controller, then by place on it. */
function diskOrder(root: Element): { kind: string; id: string }[] {
  const items = all(root, "VirtualSystem").flatMap((machine) => deep(machine, ["Item", "StorageItem"]));
  const value = (item: Element, name: string) =>
    item.children.find((child) => child.name === name)?.text.trim();
  const controllers = items.map((item) => value(item, "InstanceID"));
  const number = (text: string | undefined) => Number.parseInt(text ?? "", 10) || 0;
  return items
    .filter((item) => value(item, "ResourceType") === diskResource)
    .map((item) => ({
      controller: controllers.indexOf(value(item, "Parent") ?? "\0"),
      place: number(value(item, "AddressOnParent")),
      // `ovf:/disk/ID`, `ovf:/file/ID`; old ones without the prefix.
      resource: /^(?:ovf:)?\/{1,2}(disk|file)\/(.+)$/.exec(value(item, "HostResource") ?? ""),
    }))
    .sort((a, b) => a.controller - b.controller || a.place - b.place)
    .flatMap(({ resource }) => (resource ? [{ kind: resource[1]!, id: resource[2]! }] : []));
}

function diskOf({ attributes }: Element): OvfDisk {
  const href = attributes.get("href") ?? "";
  if (href === "") throw wrong("a file of References has no href");
  const compression = attributes.get("compression") ?? "";
  if (!["", "identity"].includes(compression))
    throw unsupported(
      `${href} is compressed with ${compression}`,
      "Decompress it, or export it as stream-optimised VMDK.",
    );
  if (attributes.has("chunkSize"))
    throw unsupported(`${href} is split into pieces`, "Put the pieces together, or export it in one piece.");
  const size = attributes.get("size");
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw wrong(`the size of ${href} is "${size}"`);
  return { href, ...(size === undefined ? {} : { sizeBytes: Number(size) }) };
}

function parseXml(text: string): Element {
  const parser = new SaxesParser({ xmlns: true });
  const top: Element = { name: "", isOvf: false, attributes: new Map(), text: "", children: [] };
  const open = [top];
  let elements = 0;
  parser.on("error", (error) => {
    throw wrong(error.message);
  });
  parser.on("doctype", () => {
    throw wrong("it has a document type, which descriptors do not need");
  });
  parser.on("opentag", ({ local, uri, attributes }) => {
    if (++elements > mostElements || open.length > deepest)
      throw wrong("it has more elements than any machine");
    const element: Element = {
      name: local,
      isOvf: envelope.test(uri),
      attributes: new Map(
        Object.values(attributes)
          .filter((attribute) => attribute.uri === "" || envelope.test(attribute.uri))
          .map((attribute) => [attribute.local, attribute.value]),
      ),
      text: "",
      children: [],
    };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("text", (more) => void (open.at(-1)!.text += more));
  parser.on("cdata", (more) => void (open.at(-1)!.text += more));
  parser.on("closetag", () => void open.pop());
  parser.write(text).close();
  const [root] = top.children;
  if (!root) throw wrong("it is empty");
  return root;
}

function all(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name && child.isOvf);
}

function deep(element: Element, names: readonly string[]): Element[] {
  return element.children.flatMap((child) => [
    ...(names.includes(child.name) && child.isOvf ? [child] : []),
    ...deep(child, names),
  ]);
}

function byId(elements: readonly Element[], key: string): Map<string, Element> {
  return new Map(elements.map((element) => [element.attributes.get(key) ?? "", element]));
}

function wrong(why: string): UserError {
  return userError({
    code: "ova-descriptor-wrong",
    message: `the OVA's descriptor cannot be read: ${why}`,
    hint: "Export the machine again, as OVF 1 or 2.",
  });
}

function unsupported(what: string, hint: string): UserError {
  return userError({
    code: "ova-disk-unsupported",
    message: `the OVA's ${what}, which cannot be read`,
    hint,
  });
}
