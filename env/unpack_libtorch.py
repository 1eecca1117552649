"""Takes the CPU part of libtorch out of the downloaded wheels: unpack_libtorch.py WHEELS_DIR DESTINATION."""
import pathlib
import shutil
import sys
import zipfile

wheels, destination = map(pathlib.Path, sys.argv[1:3])
LIBRARIES = {
    "torch": ["torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1"],
    "nvidia_cuda_runtime": ["nvidia/cu13/lib/libcudart.so.13"],
    "nvidia_cuda_cupti": ["nvidia/cu13/lib/libcupti.so.13"],
}
lib = destination / "lib"
lib.mkdir(parents=True)
for package, members in LIBRARIES.items():
    (wheel,) = wheels.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for member in members:
            print(f"  {member}", file=sys.stderr)
            with archive.open(member) as source, open(lib / pathlib.PurePath(member).name, "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        for member in archive.namelist():
            if member.startswith("torch/include/") and not member.endswith("/"):
                target_path = destination / pathlib.PurePath(member).relative_to("torch")
                target_path.parent.mkdir(parents=True, exist_ok=True)
                target_path.write_bytes(archive.read(member))
# The linker asks for libtorch.so; on a CPU build that is these two.
(lib / "libtorch.so").write_text("INPUT(-ltorch_cpu -lc10)\n")
(destination / "build-version").write_text("2.11.0\n")
sizes = [f"{path.stat().st_size} lib/{path.name}" for path in sorted(lib.iterdir())]
(destination / "complete").write_text("\n".join(sizes) + "\n")
