"""`python -m seatwise` is the `seatwise` command."""

from seatwise.cli import app

if __name__ == "__main__":
    app(prog_name="seatwise")
