import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";

/** Where in the text a key or value stands, so that a problem can say `release.yaml:12:5`. */
export interface SourceMap {
  /** Position of the value at a path; of the nearest thing above it that exists, when it does not. */
  locate(path: readonly PropertyKey[], what?: "key" | "value"): { line: number; column: number };
}

export function parseYaml(text: string): { document: Document.Parsed; map: SourceMap } {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    version: "1.2",
  });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  return {
    document,
    map: {
      locate(path, what = "value") {
        let node: Node | null = document.contents;
        let offset = node?.range?.[0] ?? 0;
        for (const [index, key] of path.entries()) {
          const last = index === path.length - 1;
          if (isMap(node)) {
            const pair: unknown = node.items.find(
              (item) => isScalar(item.key) && String(item.key.value) === String(key),
            );
            if (!isPair(pair)) break;
            const keyNode = pair.key as Node;
            const value = pair.value as Node | null;
            offset =
              (last && what === "key" ? keyNode.range?.[0] : value?.range?.[0]) ??
              keyNode.range?.[0] ??
              offset;
            node = value;
          } else if (isSeq(node)) {
            const item = node.items[Number(key)] as Node | undefined;
            if (!item) break;
            offset = item.range?.[0] ?? offset;
            node = item;
          } else break;
        }
        return at(offset);
      },
    },
  };
}

/** `layout.volumes[0].size` */
export function keyPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path)
    text += typeof key === "number" ? `[${key}]` : text === "" ? String(key) : `.${String(key)}`;
  return text;
}
