"""Check what is in an sdist and a wheel with the compiled core. Usage: check_dist.py FOLDER."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path


def main(folder: Path) -> None:
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    tracked = set(subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.splitlines())
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames() if not archive.getmember(name).isdir()}
    assert tracked <= packed, f"missing in the sdist: {sorted(tracked - packed)}"
    assert packed - tracked == {"PKG-INFO"}, f"more in the sdist than in git: {sorted(packed - tracked)}"

    with zipfile.ZipFile(wheel) as archive:
        installed = set(archive.namelist())
    sources = {path.removeprefix("src/") for path in tracked if path.startswith("src/softjac/")}
    kinds = (".py", ".pyi", ".typed", ".toml", ".css", ".html", ".js")
    expected = {path for path in sources if path.endswith(kinds) and "/native/" not in path}
    assert expected <= installed, f"missing in the wheel: {sorted(expected - installed)}"
    modules = {name for name in installed if not name.startswith("softjac-")}
    (core,) = modules - expected
    assert core.startswith("softjac/kernels/_native."), f"unexpected in the wheel: {core}"
    assert "none-any" not in wheel.name, f"{wheel.name} has a compiled core and calls itself pure"
    print(f"{sdist.name}: {len(packed)} files; {wheel.name}: {len(installed)} files, core {core}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
