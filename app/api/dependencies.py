"""What endpoints are given: it is opened when the server starts and lies in the application's state."""

from typing import Annotated

from fastapi import Depends, Request

from app.api.module_rows import ModuleRows
from app.settings import Settings
from app.storage.data_files import DataFiles
from app.storage.trees import Trees
from app.training.runs import Runs
from app.trees.sources.workshop import Workshop


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _trees(request: Request) -> Trees:
    trees: Trees = request.app.state.trees
    return trees


async def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


async def _workshop(request: Request) -> Workshop:
    workshop: Workshop = request.app.state.workshop
    return workshop


async def _data(request: Request) -> DataFiles:
    data: DataFiles = request.app.state.data
    return data


async def _module_rows(request: Request) -> ModuleRows:
    rows: ModuleRows = request.app.state.module_rows
    return rows


SettingsDep = Annotated[Settings, Depends(_settings)]
TreesDep = Annotated[Trees, Depends(_trees)]
RunsDep = Annotated[Runs, Depends(_runs)]
ModuleRowsDep = Annotated[ModuleRows, Depends(_module_rows)]
DataDep = Annotated[DataFiles, Depends(_data)]
WorkshopDep = Annotated[Workshop, Depends(_workshop)]
