//! What signing one request costs, beside the hashing that it cannot do without.

fn main() {
    divan::main();
}
