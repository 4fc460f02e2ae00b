const moduleFile = /([^/]+)\.ko(?:\.(?:xz|gz|zst))?$/;

/** `kernel/drivers/block/virtio_blk.ko.xz` -> `virtio_blk`; nothing for a path that is no module. `_` for `-`. */
export function moduleName(path: string): string[] {
  const name = moduleFile.exec(path)?.[1];
  return name === undefined ? [] : [name.replaceAll("-", "_")];
}
