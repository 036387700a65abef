// Boxes in pixels of the picture, as whole numbers: what is under a point, moving, resizing, drawing.

export const LEAST = 2;

export const sides = (row) => [row.x_min, row.y_min, row.x_max, row.y_max];

export const area = (row) => (row.x_max - row.x_min) * (row.y_max - row.y_min);

export const holds = (row, point) =>
  point.x >= row.x_min && point.x <= row.x_max && point.y >= row.y_min && point.y <= row.y_max;

const within = (value, least, most) => Math.min(Math.max(Math.round(value), least), most);

// Returns the sides of what was dragged from one point to another, inside the picture.
export function spanned(start, end, size) {
  const xs = [start.x, end.x].map((x) => within(x, 0, size.width));
  const ys = [start.y, end.y].map((y) => within(y, 0, size.height));
  return {
    x_min: Math.min(...xs),
    y_min: Math.min(...ys),
    x_max: Math.max(...xs),
    y_max: Math.max(...ys),
  };
}

// Returns the sides of a box that was moved; it keeps its size and does not leave the picture further.
export function moved(row, by, size) {
  const dx = within(by.x, Math.min(0, -row.x_min), Math.max(0, size.width - row.x_max));
  const dy = within(by.y, Math.min(0, -row.y_min), Math.max(0, size.height - row.y_max));
  return { x_min: row.x_min + dx, y_min: row.y_min + dy, x_max: row.x_max + dx, y_max: row.y_max + dy };
}

// Returns the sides of a box one of whose handles ("nw", "e", ...) was dragged to a point.
export function resized(row, handle, point, size) {
  const { x_min, y_min, x_max, y_max } = row;
  const made = { x_min, y_min, x_max, y_max };
  if (handle.includes("w")) made.x_min = within(point.x, Math.min(0, x_min), x_max - LEAST);
  if (handle.includes("e")) made.x_max = within(point.x, x_min + LEAST, Math.max(size.width, x_max));
  if (handle.includes("n")) made.y_min = within(point.y, Math.min(0, y_min), y_max - LEAST);
  if (handle.includes("s")) made.y_max = within(point.y, y_min + LEAST, Math.max(size.height, y_max));
  return made;
}

// Returns the places of the handles of a box.
export function handles({ x_min, y_min, x_max, y_max }) {
  const x = (x_min + x_max) / 2;
  const y = (y_min + y_max) / 2;
  return Object.entries({
    nw: [x_min, y_min], n: [x, y_min], ne: [x_max, y_min], e: [x_max, y],
    se: [x_max, y_max], s: [x, y_max], sw: [x_min, y_max], w: [x_min, y],
  }); // prettier-ignore
}
