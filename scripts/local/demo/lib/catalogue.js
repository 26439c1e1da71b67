// Owns the goods of the shop.
'use strict';

const KINDS = ['lamp', 'chair', 'desk', 'teapot', 'blanket', 'shelf'];
const COLOURS = ['blue', 'oak', 'white', 'wool'];

const products = KINDS.flatMap((kind, row) =>
  COLOURS.map((colour, column) => {
    const id = row * COLOURS.length + column + 1;
    return { id, name: `${colour} ${kind}`, priceCents: 1900 + id * 350 };
  }),
);

/** The product with this id, or nothing. */
function find(id) {
  return products[id - 1];
}

/** Products whose name holds the text; all for an empty one. */
function search(text) {
  const wanted = text.toLowerCase();
  return products.filter((product) => product.name.includes(wanted));
}

module.exports = { find, products, search };
