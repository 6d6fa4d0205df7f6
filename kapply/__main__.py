"""`python -m kapply` is the `kapply` command."""

from kapply.cli.main import main

if __name__ == "__main__":
    main()
