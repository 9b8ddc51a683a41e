/** The part of a map that is on screen; maps shown side by side share one. */

const CLOSEST = 6; // rows or columns that stay visible

export class Viewport {
  constructor(rows, columns) {
    this.total = { rows, columns };
    this.fit();
  }

  fit() {
    Object.assign(this, { row: 0, column: 0, ...this.total });
  }

  /** Row, column, rows and columns of what is on screen; null where that is all. */
  get part() {
    return this.isWhole ? null : [this.row, this.column, this.rows, this.columns];
  }

  /** Show such a part, as far as there is one. */
  show(part) {
    if (!part) return this.fit();
    const [row, column, ...sides] = part;
    const [rows, columns] = sides.map((side, i) => {
      const total = [this.total.rows, this.total.columns][i];
      return clamp(side, Math.min(CLOSEST, total), total);
    });
    this.moveTo(row, column, { rows, columns });
  }

  get isWhole() {
    return this.rows === this.total.rows && this.columns === this.total.columns;
  }

  contains(row, column) {
    const [down, across] = [row - this.row, column - this.column];
    return down >= 0 && down < this.rows && across >= 0 && across < this.columns;
  }

  /** Show `factor` times less, keeping `place` (row and column, fractions allowed) where it is on screen. */
  zoom(factor, place = { row: this.row + this.rows / 2, column: this.column + this.columns / 2 }) {
    const rows = clamp(this.rows / factor, Math.min(CLOSEST, this.total.rows), this.total.rows);
    const columns = clamp(this.columns / factor, Math.min(CLOSEST, this.total.columns), this.total.columns);
    this.moveTo(
      place.row - ((place.row - this.row) * rows) / this.rows,
      place.column - ((place.column - this.column) * columns) / this.columns,
      { rows, columns },
    );
  }

  moveTo(row, column, { rows, columns } = this) {
    this.row = hundredths(clamp(row, 0, this.total.rows - rows));
    this.column = hundredths(clamp(column, 0, this.total.columns - columns));
    Object.assign(this, { rows: hundredths(rows), columns: hundredths(columns) });
  }

  /** Move no further than needed to see a cell. */
  reveal({ query, key }) {
    this.moveTo(
      clamp(this.row, query + 1 - this.rows, query),
      clamp(this.column, key + 1 - this.columns, key),
    );
  }
}

/** As an address has it, so that it shows the same again. */
function hundredths(number) {
  return Math.round(100 * number) / 100;
}

export function clamp(number, low, high) {
  return Math.min(high, Math.max(low, number));
}

/** The middle of a cell, as a place. */
export function centreOf(cell) {
  return cell ? { row: cell.query + 0.5, column: cell.key + 0.5 } : undefined;
}
