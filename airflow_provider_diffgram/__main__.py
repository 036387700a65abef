"""``python -m airflow_provider_diffgram``: the same as the script ``diffgram-airflow``."""

from .cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
