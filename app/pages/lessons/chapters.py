"""All chapters, in their order."""

from app.pages.lessons import apply, buffers, module, modules, parameters, training

CHAPTERS = {
    chapter.key: chapter
    for chapter in (
        module.CHAPTER,
        parameters.CHAPTER,
        buffers.CHAPTER,
        modules.CHAPTER,
        apply.CHAPTER,
        training.CHAPTER,
    )
}
